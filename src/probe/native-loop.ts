import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { Engine } from "./engine.ts";
import type { Libc } from "./libc.ts";
import { LinkIndexes } from "./link-indexes.ts";
import type { FromWorker, ToWorker, WorkerSetup } from "./messages.ts";
import { NativeSocket } from "./native-socket.ts";
import type { Packet } from "./packet.ts";
import type { ProbeTarget } from "./report.ts";
import { REST_MS } from "./round-trip.ts";
import { sockaddrOf } from "./sockaddr.ts";

const EFD_CLOEXEC_NONBLOCK = 0x80000 | 0x800;
const POLLIN = 1;
const REOPEN_MS = 250;
/** A wake-up this much after its time means that the machine did not run us: verdicts wait. */
export const LATE_MS = 20;

/** Desk is what both kinds of loop do besides packets: take the mail, post the reports. */
export interface Desk {
  readonly setup: WorkerSetup;
  readonly engine: Engine;
  readonly now: () => number;
  readonly post: (message: FromWorker) => void;
  /** handle takes one message; false when it says stop. */
  readonly handle: (message: ToWorker) => boolean;
  /** report posts the reports when they are due and gives the next time. */
  readonly report: () => number;
}

/** NativeLoop blocks its thread in ppoll until a packet, a message or a probe's time, and so never returns to Node's
 *  event loop before it is told to stop. */
export class NativeLoop {
  readonly #libc: Libc;
  readonly #desk: Desk;
  readonly #links: LinkIndexes;
  /** The sockaddr of each target. */
  readonly #names = new WeakMap<ProbeTarget, Uint8Array>();
  #socket: NativeSocket | null = null;
  /** When to try for the socket again. */
  #reopenAt = 0;
  /** When the socket was read last: a rest is counted from there. */
  #readAt = 0;

  constructor(libc: Libc, desk: Desk) {
    this.#libc = libc;
    this.#desk = desk;
    this.#links = new LinkIndexes((name) => libc.if_nametoindex(name));
  }

  /** send is the engine's way out; without a socket the probe is as good as lost. */
  send(target: ProbeTarget, packet: Packet): void {
    const link = target.interface === null ? 0 : this.#links.indexOf(target.interface, this.#desk.now());
    if (link === undefined) return;
    let name = this.#names.get(target);
    if (name === undefined) {
      name = sockaddrOf(target.address, this.#desk.setup.port);
      this.#names.set(target, name);
    }
    this.#socket?.queue(name, link, packet, this.#desk.engine.state);
  }

  /** run blocks until a message says stop. */
  run(): void {
    const wake = this.#libc.eventfd(0, EFD_CLOEXEC_NONBLOCK);
    const poll = new Poll(this.#libc, wake);
    this.#desk.post({ kind: "wake-by", fd: wake }); // the other side closes it, when this thread has ended
    while (!poll.woken || this.#takeMail(this.#desk.setup.mail)) this.#round(poll);
    this.#socket?.close();
  }

  /** One round: send what is due, sleep, read. The next round's turn() judges what was read in this one. */
  #round(poll: Poll): void {
    const { engine, now } = this.#desk;
    this.#openIfDue();
    if (now() >= engine.wakeAt) engine.turn();
    this.#socket?.flush();
    if (this.#socket?.takeLinkFault() === true) this.#links.forget();
    const wakeAt = Math.min(engine.wakeAt, this.#desk.report(), this.#socket === null ? this.#reopenAt : Infinity);
    const restUntil = engine.patient ? this.#readAt + REST_MS : 0;
    const resting = now() < restUntil;
    const fd = resting ? -1 : (this.#socket?.fd ?? -1);
    const readable = poll.wait(fd, Math.min(wakeAt, resting ? restUntil : wakeAt) - now());
    const wokenAt = now();
    if (wokenAt > wakeAt + LATE_MS) engine.late();
    if (readable || resting) this.#receive(wokenAt); // after a rest unasked: the engine judges only what was read
  }

  #receive(wokenAt: number): void {
    const { engine } = this.#desk;
    this.#readAt = wokenAt;
    this.#socket?.receive(
      wokenAt,
      (view, length, arrivedAt) => engine.receive(view, length, arrivedAt) === "echo",
      () => engine.state,
    );
  }

  /** takeMail handles all messages; false when one says stop. */
  #takeMail(mail: MessagePort): boolean {
    for (;;) {
      const letter = receiveMessageOnPort(mail);
      if (letter === undefined) return true;
      if (!this.#desk.handle(letter.message as ToWorker)) return false;
    }
  }

  /** The address may come to this machine after us, or the port be held by a process that is about to end. */
  #openIfDue(): void {
    const { now, setup, post } = this.#desk;
    if (this.#socket !== null || now() < this.#reopenAt) return;
    const opened = NativeSocket.open(this.#libc, setup, now, (at) => this.#desk.engine.leaves(at));
    this.#reopenAt = now() + REOPEN_MS;
    if (opened.ok) this.#socket = opened.value;
    post(opened.ok ? { kind: "open", mode: "ffi", fallback: null } : { kind: "not-open", reason: opened.error });
  }
}

/** Poll is struct pollfd for the wake descriptor and the socket, and a timespec. */
class Poll {
  readonly #libc: Libc;
  readonly #wake: number;
  readonly #memory: ReturnType<Libc["memory"]>;
  /** Whether somebody wrote to the wake descriptor: there is mail. True at first, for what came before it was known. */
  woken = true;

  constructor(libc: Libc, wake: number) {
    this.#libc = libc;
    this.#wake = wake;
    this.#memory = libc.memory(48);
    this.#memory.view.setInt32(0, wake, true);
    this.#memory.view.setInt16(4, POLLIN, true);
    this.#memory.view.setInt16(12, POLLIN, true);
  }

  /** wait sleeps up to `ms` and reports whether the socket has something to read (a negative fd is not looked at). */
  wait(fd: number, ms: number): boolean {
    const { view, address } = this.#memory;
    const rest = Math.max(0, ms);
    view.setInt32(8, fd, true);
    view.setInt16(14, 0, true);
    view.setUint32(16, Math.floor(rest / 1000), true); // struct timespec; the upper halves stay zero
    view.setUint32(24, Math.floor((rest % 1000) * 1e6), true);
    const ready = this.#libc.ppoll(address, 2, address + 16n, 0n);
    this.woken = ready > 0 && view.getInt16(6, true) !== 0;
    if (this.woken) this.#libc.read(this.#wake, address + 40n, 8);
    return ready > 0 && view.getInt16(14, true) !== 0;
  }
}
