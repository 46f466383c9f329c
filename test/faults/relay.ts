import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

const AGAIN_MS = 20;

/** Relay stands between gateways and a broker, and loses, delays or cuts what passes. It sees TLS and no more, as a
 *  network does. */
export class Relay implements AsyncDisposable {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #target: () => number;
  /** Nothing passes in either direction, and nobody is told: a peer that vanished (F32). */
  #silent = false;
  /** Bytes after which each connection is cut; null lets them live. */
  #cutAfter: number | null = null;
  cuts = 0;
  /** While nobody listens behind it, whoever dials is kept waiting instead of sent away: a test of what comes after a
   *  restart need not wait for somebody's back-off. */
  patient = false;

  constructor(target: () => number) {
    this.#target = target;
    this.#server = createServer((near) => {
      near.on("error", () => {});
      this.#join(near);
    });
  }

  async open(port: number): Promise<number> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  /** cut ends every connection now, wherever in a frame it is. */
  cut(): void {
    for (const [near, far] of this.#pairs) {
      near.destroy();
      far.destroy();
    }
  }

  cutAfter(bytes: number | null): void {
    this.#cutAfter = bytes;
  }

  silent(yes: boolean): void {
    this.#silent = yes;
    for (const pair of this.#pairs) for (const socket of pair) yes ? socket.pause() : socket.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(near: Socket): void {
    const far = connect(this.#target(), "127.0.0.1");
    far.once("connect", () => this.#pass(near, far));
    far.once("error", () => {
      if (this.patient && !near.destroyed) setTimeout(() => this.#join(near), AGAIN_MS);
      else near.destroy();
    });
  }

  #pass(near: Socket, far: Socket): void {
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    let passed = 0;
    const pass = (from: Socket, to: Socket): void => {
      from.on("error", () => to.destroy());
      from.on("close", () => {
        this.#pairs.delete(pair);
        to.destroy();
      });
      from.on("data", (data: Buffer) => {
        const rest = (this.#cutAfter ?? Number.POSITIVE_INFINITY) - passed;
        passed += data.length;
        to.write(data.subarray(0, Math.max(0, rest)));
        if (passed <= (this.#cutAfter ?? Number.POSITIVE_INFINITY)) return;
        this.cuts += 1;
        from.destroy();
      });
      if (this.#silent) from.pause();
    };
    pass(near, far);
    pass(far, near);
  }
}
