import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "#lab";
import { DaemonProcess, say } from "./daemon-process.ts";

/** LoopbackBroker is the program's broker, on a port of the loopback that stays the same through all its lives. */
export class LoopbackBroker extends DaemonProcess {
  readonly data: string;
  readonly port: number;
  readonly http: number;
  readonly #flags: readonly string[];

  private constructor(data: string, port: number, http: number, flags: readonly string[]) {
    super();
    this.data = data;
    this.port = port;
    this.http = http;
    this.#flags = flags;
  }

  static async open(folder: string, flags: readonly string[] = []): Promise<LoopbackBroker> {
    const broker = new LoopbackBroker(join(folder, "broker"), await freePort(), await freePort(), flags);
    await broker.serve();
    return broker;
  }

  get url(): string {
    return `wss://127.0.0.1:${this.port}`;
  }

  ca(): Promise<string> {
    return readFile(join(this.data, "ca.crt"), "utf8");
  }

  /** serve starts it on its data, and resolves when it serves. */
  serve(under: readonly string[] = []): Promise<void> {
    const listen = ["--listen", `127.0.0.1:${this.port}`, "--http", `127.0.0.1:${this.http}`];
    return this.start(["broker", "--data", this.data, ...listen, ...this.#flags], under);
  }

  invite(uses = 1): Promise<string> {
    return say("invite", "--data", this.data, "--uses", String(uses), "--ttl", "2h");
  }

  /** ask reads the admin API. */
  async ask(method: string, path: string): Promise<unknown> {
    const token = (await readFile(join(this.data, "admin.token"), "utf8")).trim();
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`http://127.0.0.1:${this.http}${path}`, { method, headers });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status}`);
    return answer.json();
  }
}
