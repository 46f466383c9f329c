import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { familyOf } from "#values";
import type { ToWorker } from "./messages.ts";
import { type Desk, LATE_MS } from "./native-loop.ts";
import { encodePacket, PACKET_BYTES, type Packet, setState, stampHeld, turnIntoEcho } from "./packet.ts";
import type { ProbeTarget } from "./report.ts";

const REOPEN_MS = 250;

/** DgramLoop does the same by node:dgram, where the C library cannot be reached: a packet costs about three times as
 *  much, and which tunnel it takes is up to the routes (a route per peer gateway), as node:dgram can name none. */
export class DgramLoop {
  readonly #desk: Desk;
  /** Why the C library is not used; for people. */
  readonly #fallback: string | null;
  #socket: Socket | null = null;
  #timer: NodeJS.Timeout | null = null;
  #reopen: NodeJS.Timeout | null = null;
  /** When the timer should fire: the difference is how late this thread was. */
  #plannedAt = 0;
  #stopped = false;

  constructor(desk: Desk, fallback: string | null) {
    this.#desk = desk;
    this.#fallback = fallback;
  }

  /** send is the engine's way out. */
  send(target: ProbeTarget, packet: Packet): void {
    const bytes = Buffer.alloc(PACKET_BYTES);
    const view = new DataView(bytes.buffer, bytes.byteOffset, PACKET_BYTES);
    encodePacket(view, packet);
    setState(view, bytes, this.#desk.engine.state);
    this.#socket?.send(bytes, this.#desk.setup.port, target.address, ignore);
  }

  /** run returns at once; the loop lives on the thread's event loop until a message says stop. */
  run(): void {
    const { setup, handle } = this.#desk;
    setup.mail.on("message", (message: ToWorker) => {
      if (!handle(message)) this.#stop();
      else this.#plan();
    });
    this.#open();
    this.#plan();
  }

  /** open binds the socket, again and again until it can. */
  #open(): void {
    const { setup, post } = this.#desk;
    const socket = createSocket({ type: familyOf(setup.address) === 4 ? "udp4" : "udp6" });
    socket.on("error", (error) => {
      socket.close();
      if (this.#stopped) return;
      this.#socket = null;
      post({ kind: "not-open", reason: `UDP port ${setup.port} of ${setup.address}: ${error.message}` });
      this.#reopen = setTimeout(() => this.#open(), REOPEN_MS);
    });
    socket.on("message", (bytes, from) => this.#receive(socket, bytes, from));
    socket.bind({ address: setup.address, port: setup.port, exclusive: true }, () => {
      if (this.#stopped) return void socket.close();
      this.#socket = socket;
      post({ kind: "open", mode: "dgram", fallback: this.#fallback });
    });
  }

  /** Without kernel stamps the arrival is when Node hands the datagram over. */
  #receive(socket: Socket, bytes: Buffer, { address, port }: RemoteInfo): void {
    const { engine, now } = this.#desk;
    const arrivedAt = now();
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (engine.receive(view, bytes.length, arrivedAt) !== "echo") return;
    turnIntoEcho(view);
    setState(view, bytes, engine.state);
    stampHeld(view, (now() - arrivedAt) * 1e6);
    socket.send(bytes, port, address, ignore);
  }

  /** plan sets the one timer; when it fires, sockets are read (the poll phase) before the engine judges. */
  #plan(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#stopped) return;
    const { engine, now, report } = this.#desk;
    this.#plannedAt = Math.min(engine.wakeAt, report());
    this.#timer = setTimeout(
      () => {
        if (now() > this.#plannedAt + LATE_MS) engine.late();
        setImmediate(() => this.#turn());
      },
      Math.max(0, this.#plannedAt - now()),
    );
  }

  #turn(): void {
    if (this.#stopped) return;
    if (this.#desk.now() >= this.#desk.engine.wakeAt) this.#desk.engine.turn();
    this.#plan();
  }

  /** stop closes everything, so that the thread ends by itself. */
  #stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#reopen !== null) clearTimeout(this.#reopen);
    this.#socket?.close();
    this.#desk.setup.mail.close();
  }
}

/** A datagram that cannot leave is a lost one; the tracker counts it. */
function ignore(): void {}
