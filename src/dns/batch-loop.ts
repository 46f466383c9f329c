import { err, ok, type Result } from "#values";
import type { Answerer } from "./answerer.ts";
import { BATCH, type BatchMemory, CONTROL_BYTES, createBatchMemory, MMSGHDR } from "./batch-memory.ts";
import { BatchRest } from "./batch-rest.ts";
import type { Counters } from "./counters.ts";
import type { Libc } from "./libc.ts";
import { answersPort } from "./source-port.ts";
import { SOCKADDR_BYTES, type UdpSocket } from "./udp-socket.ts";
import { enterZone, HEAD, leaveZone, type ZoneMemory } from "./zone-memory.ts";

const MSG_PEEK = 0x02;
const MSG_DONTWAIT = 0x40;
const MSG_WAITFORONE = 0x10000;
/** A socket that fails so often in a row is not coming back by itself. */
const MAX_FAILURES = 1000;
/** `struct cmsghdr` before its data; lengths of IP_PKTINFO and IPV6_PKTINFO with it, as the kernel counts and aligns. */
const CMSG_HEADER = 16;
const PKTINFO = { 4: { length: 28, space: 32, level: 0, type: 8 }, 6: { length: 36, space: 40, level: 41, type: 50 } };

export interface BatchOptions {
  readonly libc: Libc;
  readonly socket: UdpSocket;
  readonly zone: ZoneMemory;
  /** Number of this reader of the zone. */
  readonly reader: number;
  readonly answerer: Answerer;
  readonly counters: Counters;
}

/** BatchLoop answers a UDP socket: up to 64 messages by one system call, answered in place, and out by another. It
 *  blocks its thread until the zone says stop. Nothing is allocated per message. */
export class BatchLoop {
  readonly #o: BatchOptions;
  readonly #memory: BatchMemory;
  readonly #rest = new BatchRest(() => performance.now());

  constructor(options: BatchOptions) {
    this.#o = options;
    this.#memory = createBatchMemory((buffer) => options.libc.addressOf(buffer));
    for (let i = 0; i < BATCH; i++) this.#rearm(i);
  }

  /** probe finds out, without waiting, whether the system has the call at all: sandboxes and seccomp may not. It only
   *  looks at what waits: it may not be time to answer yet. */
  probe(): Result<void> {
    const { libc, socket } = this.#o;
    const first = this.#memory.received.addresses[0] as bigint;
    const count = libc.recvmmsg(socket.fd, first, 1, MSG_DONTWAIT | MSG_PEEK, null);
    this.#rearm(0);
    const code = count < 0 ? libc.errorCode(libc.errno()) : "EAGAIN";
    return this.#isPause(code) ? ok(undefined) : err(code);
  }

  /** run returns when told to stop, or with the error code of a socket that does not recover. */
  run(): Result<void, string> {
    const { libc, socket, zone } = this.#o;
    const first = this.#memory.received.addresses[0] as bigint;
    let failures = 0;
    while (Atomics.load(zone.words, HEAD.stop) === 0) {
      const count = libc.recvmmsg(socket.fd, first, BATCH, MSG_WAITFORONE, null);
      if (count > 0) {
        failures = 0;
        this.#batch(count);
        const restUs = this.#rest.after(count);
        if (restUs > 0) libc.usleep(restUs);
      } else if (!this.#isPause(libc.errorCode(libc.errno())) && ++failures > MAX_FAILURES) {
        return err(libc.errorCode(libc.errno()));
      }
    }
    return ok(undefined);
  }

  /** A call that ended without a message and without a fault: its time was over, or a signal came. */
  #isPause(code: string): boolean {
    return code === "EAGAIN" || code === "EINTR";
  }

  /** batch answers what one call brought: all of it from one state of the epochs, so that the cost of entering the zone
   *  is shared. Replies stand without gaps, though some messages get none. */
  #batch(count: number): void {
    const { zone, reader, counters } = this.#o;
    const { watch } = this.#o.answerer;
    watch?.begin();
    enterZone(zone, reader);
    let replies = 0;
    for (let i = 0; i < count; i++) {
      if (this.#message(i, replies)) replies++;
      this.#rearm(i);
    }
    leaveZone(zone, reader);
    counters.add("udpQueries", count);
    if (replies > 0) this.#send(replies);
    watch?.end();
  }

  /** rearm sets again what the kernel changes in a header. */
  #rearm(i: number): void {
    const { words, received } = this.#memory;
    const header = received.headers + i * MMSGHDR.bytes;
    words[(header + MMSGHDR.nameLength) >> 2] = SOCKADDR_BYTES;
    words[(header + MMSGHDR.controlLength) >> 2] = this.#o.socket.wildcard ? CONTROL_BYTES : 0;
  }

  /** message answers the i-th message received as the k-th to send, or tells that there is no reply. */
  #message(i: number, k: number): boolean {
    const { octets, words, received, sent } = this.#memory;
    const { answerer, counters, socket } = this.#o;
    const name = received.names + i * SOCKADDR_BYTES;
    const port = ((octets[name + 2] as number) << 8) | (octets[name + 3] as number);
    let length = 0;
    if (answersPort(port) && !(port === socket.port && this.#fromSelf(i))) {
      const header = received.headers + i * MMSGHDR.bytes;
      const out = sent.buffers + k * sent.bufferBytes;
      const { family } = socket;
      answerer.asker.set(octets, name + (family === 4 ? 4 : 8), family === 4 ? 4 : 16);
      answerer.watch?.asker(answerer.asker, port);
      const asked = words[(header + MMSGHDR.length) >> 2] as number;
      length = this.#answer(answerer, received.buffers + i * received.bufferBytes, asked, out);
    }
    if (length === 0) {
      counters.add("udpDropped");
      return false;
    }
    counters.response(false, answerer.rcode);
    if (answerer.truncated) counters.add("truncated");
    this.#address(i, k, length);
    return true;
  }

  /** A bug costs one reply, never the listener. */
  #answer(answerer: Answerer, at: number, length: number, out: number): number {
    try {
      return answerer.answer(this.#memory.octets, at, length, out, false);
    } catch {
      this.#o.counters.add("faults");
      return 0;
    }
  }

  /** address sends the reply where the query came from, from the address that was asked (RFC 2181 section 4). */
  #address(i: number, k: number, length: number): void {
    const { words, received, sent } = this.#memory;
    const header = (sent.headers + k * MMSGHDR.bytes) >> 2;
    const from = (received.names + i * SOCKADDR_BYTES) >> 2;
    const to = (sent.names + k * SOCKADDR_BYTES) >> 2;
    for (let word = 0; word < SOCKADDR_BYTES / 4; word++) words[to + word] = words[from + word] as number;
    words[header + (MMSGHDR.nameLength >> 2)] = this.#o.socket.family === 4 ? 16 : 28;
    words[((sent.iovecs + k * 16) >> 2) + 2] = length;
    words[header + (MMSGHDR.controlLength >> 2)] = this.#o.socket.wildcard ? this.#source(i, k) : 0;
  }

  /** source writes the control message that sets the sender's address, and gives its length; 0 lets the kernel
   *  choose. The interface is left to the routes, except for link-local addresses, which need it. */
  #source(i: number, k: number): number {
    const { octets, words, received, sent } = this.#memory;
    const { length, space, level, type } = PKTINFO[this.#o.socket.family];
    const from = (received.controls + i * CONTROL_BYTES) >> 2;
    if (words[from + 2] !== level || words[from + 3] !== type) return 0;
    const to = (sent.controls + k * CONTROL_BYTES) >> 2;
    words[to] = length;
    words[to + 1] = 0;
    words[to + 2] = level;
    words[to + 3] = type;
    const data = CMSG_HEADER >> 2;
    for (let word = 0; word < 5; word++) words[to + data + word] = words[from + data + word] as number;
    if (this.#o.socket.family === 4) words[to + data] = 0;
    else {
      const address = received.controls + i * CONTROL_BYTES + CMSG_HEADER;
      const linkLocal = octets[address] === 0xfe && ((octets[address + 1] as number) & 0xc0) === 0x80;
      if (!linkLocal) words[to + data + 4] = 0;
    }
    return space;
  }

  /** fromSelf reports whether a message from our own port came from our own address: a reply would go in circles. */
  #fromSelf(i: number): boolean {
    const { octets, received } = this.#memory;
    const { family, wildcard, address } = this.#o.socket;
    const name = received.names + i * SOCKADDR_BYTES + (family === 4 ? 4 : 8);
    const asked = received.controls + i * CONTROL_BYTES + CMSG_HEADER + (family === 4 ? 4 : 0);
    for (let octet = 0; octet < address.length; octet++) {
      if (octets[name + octet] !== (wildcard ? octets[asked + octet] : address[octet])) return false;
    }
    return true;
  }

  /** send gives all replies to the kernel; one that it refuses (no route, a firewall) is skipped, not the rest. */
  #send(replies: number): void {
    const { libc, socket, counters } = this.#o;
    let done = 0;
    while (done < replies) {
      const count = libc.sendmmsg(socket.fd, this.#memory.sent.addresses[done] as bigint, replies - done, 0);
      if (count > 0) done += count;
      else {
        if (libc.errorCode(libc.errno()) === "EINTR") continue;
        counters.add("sendErrors");
        done++;
      }
    }
  }
}
