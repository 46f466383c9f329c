import { mustExec, type Place } from "#lab";
import type { Ip } from "#values";

/** RawPacket is a datagram with any addresses, as whoever owns a machine can send it. */
export interface RawPacket {
  readonly from: Ip;
  readonly to: Ip;
  readonly sourcePort: number;
  readonly port: number;
}

/** Payload of each, in octets: enough of them show in what a peer has received. */
export const PAYLOAD = 1000;
const [IP_HEADER, UDP_HEADER, TTL, UDP] = [20, 8, 64, 17];

/** Gives each line of stdin, which is a packet in hex, to an interface so many times. A packet socket (packet(7)) hands
 *  it to the driver: no rule, no route and no address of the host has a say. Perl is on every Debian. */
const SENDER = `
my ($index, $times) = @ARGV;
socket(my $socket, 17, 2, unpack("S", pack("n", 0x0800))) or die "socket: $!";
my $to = pack("S n i S C C a8", 17, 0x0800, $index, 0xfffe, 0, 0, "");
while (my $hex = <STDIN>) {
  chomp $hex;
  for (1 .. $times) { defined(send($socket, pack("H*", $hex), 0, $to)) or die "send: $!"; }
}`;

/** sendRaw sends packets out of an interface of a place, each so many times. */
export async function sendRaw(place: Place, link: string, packets: readonly RawPacket[], times: number): Promise<void> {
  const index = (await mustExec(place, ["cat", `/sys/class/net/${link}/ifindex`])).trim();
  const stdin = packets.map((packet) => `${packetBytes(packet).toString("hex")}\n`).join("");
  await mustExec(place, ["perl", "-e", SENDER, index, String(times)], { stdin });
}

/** packetBytes is the packet (RFC 791, RFC 768); a UDP checksum of zero means that there is none. */
export function packetBytes({ from, to, sourcePort, port }: RawPacket): Buffer {
  const bytes = Buffer.alloc(IP_HEADER + UDP_HEADER + PAYLOAD);
  bytes.set([0x45, 0, bytes.length >> 8, bytes.length & 0xff, 0, 0, 0, 0, TTL, UDP]);
  bytes.set(from.split(".").map(Number), 12);
  bytes.set(to.split(".").map(Number), 16);
  bytes.writeUInt16BE(headerChecksum(bytes.subarray(0, IP_HEADER)), 10);
  bytes.writeUInt16BE(sourcePort, IP_HEADER);
  bytes.writeUInt16BE(port, IP_HEADER + 2);
  bytes.writeUInt16BE(UDP_HEADER + PAYLOAD, IP_HEADER + 4);
  return bytes;
}

function headerChecksum(header: Buffer): number {
  let sum = 0;
  for (let at = 0; at < header.length; at += 2) sum += header.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}
