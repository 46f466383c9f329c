import { err, familyOf, type Ip, ok, type Result } from "#values";
import { Datagrams, PKTINFO, SO_TIMESTAMPNS, SOL_SOCKET } from "./datagrams.ts";
import type { Libc, Memory } from "./libc.ts";
import { encodePacket, isPrompt, PACKET_BYTES, type Packet, setState, stampHeld, turnIntoEcho } from "./packet.ts";
import { AF, SOCKADDR_BYTES, sockaddrOf } from "./sockaddr.ts";

const SOCK_DGRAM_CLOEXEC_NONBLOCK = 2 | 0x80000 | 0x800;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
const IPV6_V6ONLY = { level: 41, option: 26 } as const;
const MSG_DONTWAIT = 0x40;
const CLOCK_REALTIME = 0;
/** A receive stamp older than this is not believed: the wall clock was set. */
const STAMP_MS = 1000;
/** Holds the echoes of half a second at the greatest rate, while the thread cannot run. */
const RECEIVE_BUFFER_BYTES = 1 << 20;
const SLOTS = 64;

/** Arrived looks at one datagram; true asks for its echo. */
export type Arrived = (view: DataView, length: number, arrivedAt: number) => boolean;

/** NativeSocket is one UDP socket on our global address, used by batches. It is bound to no interface: each packet names
 *  the one it leaves by (IP_PKTINFO), and an echo leaves by the one its probe came in by, so nothing has to be reopened
 *  when an interface is made anew. */
export class NativeSocket {
  readonly fd: number;
  readonly #libc: Libc;
  readonly #now: () => number;
  readonly #onFlush: (now: number) => void;
  readonly #in: Datagrams;
  readonly #out: Datagrams;
  /** struct timespec. */
  readonly #time: Memory;
  /** When the probe of a queued echo arrived; NaN for a probe of ours. */
  readonly #arrivedAt = new Float64Array(SLOTS);
  #queued = 0;
  /** The interface that could not be used since the last look: its index may have changed. */
  #linkFault = false;

  private constructor(libc: Libc, fd: number, address: Ip, now: () => number, onFlush: (now: number) => void) {
    this.#libc = libc;
    this.#now = now;
    this.#onFlush = onFlush;
    this.fd = fd;
    this.#time = libc.memory(16);
    this.#in = new Datagrams(libc, address, SLOTS);
    this.#out = new Datagrams(libc, address, SLOTS);
    for (let slot = 0; slot < SLOTS; slot += 1) this.#in.expect(slot);
  }

  /** open binds the socket; the error names address, port and reason, as EADDRNOTAVAIL. onFlush hears when queued packets
   *  are given to the kernel. */
  static open(
    libc: Libc,
    { address, port }: { readonly address: Ip; readonly port: number },
    now: () => number,
    onFlush: (now: number) => void = () => {},
  ): Result<NativeSocket, string> {
    const family = familyOf(address);
    const fd = libc.socket(AF[family], SOCK_DGRAM_CLOEXEC_NONBLOCK, 0);
    if (fd < 0) return err(`socket: ${libc.errorName()}`);
    const { scratch } = libc;
    const { level, receive } = PKTINFO[family];
    setOption(libc, fd, scratch, level, receive, 1);
    setOption(libc, fd, scratch, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    if (family === 6) setOption(libc, fd, scratch, IPV6_V6ONLY.level, IPV6_V6ONLY.option, 1);
    if (setOption(libc, fd, scratch, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES) < 0) {
      setOption(libc, fd, scratch, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_BYTES); // without CAP_NET_ADMIN: up to rmem_max
    }
    scratch.bytes.set(sockaddrOf(address, port));
    if (libc.bind(fd, scratch.address, SOCKADDR_BYTES[family]) < 0) {
      const reason = libc.errorName();
      libc.close(fd);
      return err(`UDP port ${port} of ${address}: ${reason}`);
    }
    return ok(new NativeSocket(libc, fd, address, now, onFlush));
  }

  /** queue writes a probe to be sent by the next flush. */
  queue(name: Uint8Array, link: number, packet: Packet, state: Uint8Array | null): void {
    const slot = this.#nextSlot();
    this.#out.addressTo(slot, name, link, PACKET_BYTES);
    encodePacket(this.#out.viewOf(slot), packet);
    setState(this.#out.viewOf(slot), this.#out.bytesOf(slot), state);
    this.#arrivedAt[slot] = Number.NaN;
  }

  /** receive reads all that is there, at most four full batches, and sends the echoes asked for after each. A probe says
   *  what the path does, so it arrived when the kernel had it. A benchmark says what programs see, and for these waking
   *  is a part of it, as in sockperf: its packets arrive when this thread has woken for them, at `wokenAt`. */
  receive(wokenAt: number, arrived: Arrived, state: () => Uint8Array | null): void {
    for (let round = 0; round < 4; round += 1) {
      const count = this.#libc.recvmmsg(this.fd, this.#in.address, SLOTS, MSG_DONTWAIT, 0n);
      this.#libc.clock_gettime(CLOCK_REALTIME, this.#time.address);
      const readAt = this.#now(); // in this order: a pause in between makes a round trip longer, never negative
      for (let slot = 0; slot < count; slot += 1) {
        const [view, length] = [this.#in.viewOf(slot), this.#in.lengthOf(slot)];
        const stamped = readAt - this.#lay(slot);
        const arrivedAt = length === PACKET_BYTES && isPrompt(view) ? Math.max(stamped, wokenAt) : stamped;
        if (arrived(view, length, arrivedAt)) this.#echo(slot, arrivedAt, state());
        this.#in.expect(slot);
      }
      this.flush();
      if (count < SLOTS) return;
    }
  }

  /** flush sends what is queued. A packet the kernel refuses (no route, interface gone, a firewall) is skipped: to its
   *  target that is the same as a loss. */
  flush(): void {
    const count = this.#queued;
    this.#queued = 0;
    const now = this.#now();
    if (count > 0) this.#onFlush(now);
    for (let slot = 0; slot < count; slot += 1) {
      const arrivedAt = this.#arrivedAt[slot] ?? Number.NaN;
      if (!Number.isNaN(arrivedAt)) stampHeld(this.#out.viewOf(slot), (now - arrivedAt) * 1e6);
    }
    for (let slot = 0; slot < count; ) {
      const sent = this.#libc.sendmmsg(this.fd, this.#out.headerAddress(slot), count - slot, MSG_DONTWAIT);
      if (sent <= 0) this.#linkFault = true;
      slot += Math.max(1, sent);
    }
  }

  /** takeLinkFault reports, once, whether a packet was refused since the last call. */
  takeLinkFault(): boolean {
    const fault = this.#linkFault;
    this.#linkFault = false;
    return fault;
  }

  /** close gives the port back; the buffers stay with the thread. */
  close(): void {
    this.#libc.close(this.fd);
  }

  /** lay is how long a datagram lay in the socket before it was read, in milliseconds: waking this thread takes 15 to
   *  30 us, which belong neither to the path nor to the peer. The kernel stamps by the wall clock, so the wall clock at
   *  the reading is what to compare with. */
  #lay(slot: number): number {
    const at = this.#in.stampOf(slot);
    if (at === undefined) return 0;
    const { view } = this.#time;
    const seconds = view.getUint32(0, true) - this.#in.view.getUint32(at, true);
    const ms = seconds * 1000 + (view.getUint32(8, true) - this.#in.view.getUint32(at + 8, true)) / 1e6;
    return ms >= 0 && ms < STAMP_MS ? ms : 0;
  }

  /** echo queues the answer to a received probe. */
  #echo(slot: number, arrivedAt: number, state: Uint8Array | null): void {
    const out = this.#nextSlot();
    const view = this.#out.viewOf(out);
    this.#out.addressTo(out, this.#in.nameOf(slot), this.#in.linkOf(slot), PACKET_BYTES);
    this.#out.bytesOf(out).set(this.#in.bytesOf(slot));
    turnIntoEcho(view);
    setState(view, this.#out.bytesOf(out), state);
    this.#arrivedAt[out] = arrivedAt;
  }

  /** nextSlot is a free place in the row to be sent; a full row is sent first. */
  #nextSlot(): number {
    if (this.#queued === SLOTS) this.flush();
    this.#queued += 1;
    return this.#queued - 1;
  }
}

/** setOption sets an option whose value is an int. */
function setOption(libc: Libc, fd: number, scratch: Memory, level: number, option: number, value: number): number {
  scratch.view.setInt32(0, value, true);
  return libc.setsockopt(fd, level, option, scratch.address, 4);
}
