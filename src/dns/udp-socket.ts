import { err, type HostPort, ipBytes, ok, type Result } from "#values";
import type { Libc } from "./libc.ts";

/** Numbers of the Linux ABI, the same on x64 and arm64 (socket(7), ip(7), ipv6(7)). */
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2_000_000;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVTIMEO = 20;
const SO_SNDTIMEO = 21;
const SO_RCVBUFFORCE = 33;
const IPPROTO_IP = 0;
const IP_PKTINFO = 8;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const IPV6_RECVPKTINFO = 49;

/** SOCKADDR_BYTES is room for an IPv4 or IPv6 socket address. */
export const SOCKADDR_BYTES = 32;
/** How long a blocked call may last: what is asked of a listener from outside, it sees this often. */
const BLOCK_MS = 100;
/** Queries that wait while a batch is answered: at 100,000 a second, a fifth of a second's. */
const RECEIVE_BUFFER = 4 << 20;

export interface UdpSocket {
  readonly fd: number;
  readonly family: 4 | 6;
  /** The address bound, in network order, and the real port. */
  readonly address: Uint8Array;
  readonly port: number;
  /** Bound to all addresses: then each message tells which was asked, and the reply must leave from it. */
  readonly wildcard: boolean;
}

/** openUdpSocket binds a blocking UDP socket. A taken address is an error with its code, `EADDRINUSE`: the port is
 *  never shared. */
export function openUdpSocket(libc: Libc, { host, port }: HostPort): Result<UdpSocket, string> {
  const address = ipBytes(host);
  const family = address.length === 4 ? 4 : 6;
  const fd = libc.socket(family === 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return err(libc.errorCode(libc.errno()));
  const wildcard = address.every((octet) => octet === 0);
  if (!setOptions(libc, fd, family, wildcard)) return fail(libc, fd);
  const name = socketAddress(address, port);
  if (libc.bind(fd, name, family === 4 ? 16 : 28) < 0) return fail(libc, fd);
  const length = new Uint8Array(Uint32Array.of(SOCKADDR_BYTES).buffer);
  if (libc.getsockname(fd, name, length) < 0) return fail(libc, fd);
  return ok({ fd, family, address, wildcard, port: ((name[2] ?? 0) << 8) | (name[3] ?? 0) });
}

/** adoptUdpSocket takes part in a socket of this process that is bound and set up already. Both descriptors read from
 *  one queue, so the one may be closed without losing what the other has not read. */
export function adoptUdpSocket(libc: Libc, held: number, { host, port }: HostPort): Result<UdpSocket, string> {
  const fd = libc.dup(held);
  if (fd < 0) return err(libc.errorCode(libc.errno()));
  const address = ipBytes(host);
  return ok({
    fd,
    family: address.length === 4 ? 4 : 6,
    address,
    port,
    wildcard: address.every((octet) => octet === 0),
  });
}

/** fail closes a socket that cannot be used, and tells why: errno first, since close may change it. */
function fail(libc: Libc, fd: number): Result<UdpSocket, string> {
  const code = libc.errorCode(libc.errno());
  libc.close(fd);
  return err(code);
}

/** setOptions makes calls return in time, keeps IPv6 to itself, and asks for the address that was asked. */
function setOptions(libc: Libc, fd: number, family: 4 | 6, wildcard: boolean): boolean {
  const set = (level: number, name: number, value: Uint8Array): boolean =>
    libc.setsockopt(fd, level, name, value, value.length) === 0;
  // More than the system's limit needs a capability; without it the limit is what there is.
  if (!set(SOL_SOCKET, SO_RCVBUFFORCE, int(RECEIVE_BUFFER))) set(SOL_SOCKET, SO_RCVBUF, int(RECEIVE_BUFFER));
  const timeval = new Uint8Array(BigInt64Array.of(0n, BigInt(BLOCK_MS * 1000)).buffer);
  if (!set(SOL_SOCKET, SO_RCVTIMEO, timeval) || !set(SOL_SOCKET, SO_SNDTIMEO, timeval)) return false;
  if (family === 6 && !set(IPPROTO_IPV6, IPV6_V6ONLY, int(1))) return false;
  if (!wildcard) return true;
  return family === 4 ? set(IPPROTO_IP, IP_PKTINFO, int(1)) : set(IPPROTO_IPV6, IPV6_RECVPKTINFO, int(1));
}

function int(value: number): Uint8Array {
  return new Uint8Array(Int32Array.of(value).buffer);
}

/** socketAddress is sockaddr_in or sockaddr_in6: family in host order, port and address in network order. */
export function socketAddress(address: Uint8Array, port: number): Uint8Array {
  const octets = new Uint8Array(SOCKADDR_BYTES);
  octets[0] = address.length === 4 ? AF_INET : AF_INET6;
  octets[2] = port >>> 8;
  octets[3] = port;
  octets.set(address, address.length === 4 ? 4 : 8);
  return octets;
}
