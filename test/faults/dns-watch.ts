import { createSocket, type Socket } from "node:dgram";

/** What one unanswered or wrong answer was. */
export interface Lapse {
  readonly at: number;
  readonly name: string;
  readonly why: "timeout" | "nxdomain" | "empty" | "servfail";
}

const EVERY_MS = 25;
const TIMEOUT_MS = 1000;

/** DnsWatch asks one responder for names without a pause, and keeps every question that was not answered with an
 *  address (N6). */
export class DnsWatch implements AsyncDisposable {
  readonly lapses: Lapse[] = [];
  asked = 0;
  readonly #socket: Socket = createSocket("udp4");
  readonly #open = new Map<number, { readonly name: string; readonly at: number }>();
  readonly #timer: NodeJS.Timeout;
  #id = 1;

  constructor(port: number, names: readonly string[]) {
    this.#socket.on("message", (data) => this.#hear(data));
    this.#socket.on("error", () => {}); // nobody listens: the question times out
    this.#timer = setInterval(() => {
      this.#late();
      const name = names[this.asked % names.length] as string;
      this.#ask(port, name);
    }, EVERY_MS);
  }

  /** between lists the lapses of questions that were asked in a span, on the clock of performance.now(). */
  between(from: number, until: number): readonly Lapse[] {
    return this.lapses.filter(({ at }) => at >= from && at < until);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  }

  #ask(port: number, name: string): void {
    this.#id = (this.#id % 65_000) + 1;
    this.asked += 1;
    this.#open.set(this.#id, { name, at: performance.now() });
    const labels = name.split(".").map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
    const head = Buffer.from([this.#id >> 8, this.#id & 0xff, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    this.#socket.send(Buffer.concat([head, ...labels, Buffer.from([0, 0, 1, 0, 1])]), port, "127.0.0.1");
  }

  /** The header says all that counts: response code and number of answers (RFC 1035, 4.1.1). */
  #hear(data: Buffer): void {
    const id = data.readUInt16BE(0);
    const question = this.#open.get(id);
    this.#open.delete(id);
    if (question === undefined) return;
    const [rcode, answers] = [(data[3] ?? 0) & 15, data.readUInt16BE(6)];
    if (rcode === 0 && answers > 0) return;
    this.lapses.push({ ...question, why: rcode === 3 ? "nxdomain" : rcode === 0 ? "empty" : "servfail" });
  }

  #late(): void {
    const now = performance.now();
    for (const [id, question] of this.#open) {
      if (now - question.at < TIMEOUT_MS) continue;
      this.#open.delete(id);
      this.lapses.push({ ...question, why: "timeout" });
    }
  }
}
