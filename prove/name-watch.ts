import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { encodeQuestion, readAnswer } from "./dns-message.ts";

/** NameWatch asks one responder for some names, over and over, and counts what is not as it should be: a name that must
 *  go on being answered with one address. */
export class NameWatch {
  readonly #socket: Socket;
  readonly #port: number;
  readonly #waiting = new Map<
    number,
    { readonly name: string; readonly settle: (said: readonly string[] | null) => void }
  >();
  readonly #expected = new Map<string, string>();
  #next = 0;
  #timer: NodeJS.Timeout | null = null;
  asked = 0;
  lost = 0;
  /** Each wrong answer, at most as many as a person reads. */
  readonly wrong: string[] = [];

  constructor(port: number) {
    this.#port = port;
    this.#socket = createSocket("udp4");
    this.#socket.on("message", (message) => {
      const answer = readAnswer(message);
      if (answer === undefined) return;
      this.#waiting.get(answer.id)?.settle(answer.rcode === 0 || answer.rcode === 3 ? answer.addresses : null);
    });
  }

  /** ask gives the addresses of a name: none where it does not exist, null where no answer came in time. */
  ask(name: string, timeoutMs = 1000): Promise<readonly string[] | null> {
    const id = this.#next++ & 0xffff;
    return new Promise((resolve) => {
      const late = setTimeout(() => settle(null), timeoutMs);
      const settle = (said: readonly string[] | null): void => {
        clearTimeout(late);
        this.#waiting.delete(id);
        resolve(said);
      };
      this.#waiting.set(id, { name, settle });
      this.#socket.send(encodeQuestion(id, name), this.#port, "127.0.0.1");
    });
  }

  /** watch asks for these names, so many times a second, until stop(). */
  watch(expected: ReadonlyMap<string, string>, perSecond: number): void {
    for (const [name, address] of expected) this.#expected.set(name, address);
    const names = [...this.#expected.keys()];
    let turn = 0;
    this.#timer = setInterval(() => void this.#check(names[turn++ % names.length] ?? ""), 1000 / perSecond);
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    for (const { settle } of [...this.#waiting.values()]) settle([]);
    this.#socket.close();
    await once(this.#socket, "close");
  }

  async #check(name: string): Promise<void> {
    this.asked += 1;
    const said = await this.ask(name);
    if (this.#timer === null) return;
    if (said === null) this.lost += 1;
    else if (said.join() !== this.#expected.get(name) && this.wrong.length < 20) {
      this.wrong.push(`${name}: ${said.join() || "nothing"} instead of ${this.#expected.get(name)}`);
    }
  }
}
