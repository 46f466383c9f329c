import type { TLSSocket } from "node:tls";
import { MAX_ANONYMOUS, MAX_ANONYMOUS_PER_ADDRESS } from "./limits.ts";

/** Doorstep counts the connections that are not logged in, so that idle strangers cannot use up memory, and those of
 *  one address cannot keep all others out. */
export class Doorstep {
  readonly #byAddress = new Map<string, number>();
  #all = 0;

  /** enter gives what to call when the connection has logged in; it leaves by itself when it ends. Undefined where
   *  there is no room. */
  enter(socket: TLSSocket): (() => void) | undefined {
    const address = socket.remoteAddress ?? "";
    const mine = this.#byAddress.get(address) ?? 0;
    if (mine >= MAX_ANONYMOUS_PER_ADDRESS || this.#all >= MAX_ANONYMOUS) return undefined;
    this.#byAddress.set(address, mine + 1);
    this.#all += 1;
    let left = false;
    const leave = (): void => {
      if (!left) this.#leave(address);
      left = true;
    };
    socket.once("close", leave);
    return leave;
  }

  #leave(address: string): void {
    const rest = (this.#byAddress.get(address) ?? 1) - 1;
    if (rest === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, rest);
    this.#all -= 1;
  }
}
