import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type BrokerPlace, brokerPlace, type Daemon, say, startDaemon } from "../cli/testbed-daemons.ts";

const READY = /"msg":"ready"/;

export interface AuditLine {
  readonly number: number;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly outcome: string;
  readonly detail: string;
}

/** BrokerUnderTest is a broker as users run it, a process, and what a test asks of it through its admin API. */
export class BrokerUnderTest implements AsyncDisposable {
  readonly place: BrokerPlace;
  readonly argv: readonly string[];
  daemon: Daemon;

  private constructor(place: BrokerPlace, argv: readonly string[]) {
    this.place = place;
    this.argv = argv;
    this.daemon = startDaemon(argv);
  }

  static async start(dir: string, flags: readonly string[] = []): Promise<BrokerUnderTest> {
    const place = await brokerPlace(dir);
    const made = new BrokerUnderTest(place, [...place.argv, ...flags]);
    await made.daemon.line(READY);
    return made;
  }

  get url(): string {
    return `wss://127.0.0.1:${this.place.port}`;
  }

  get ca(): string {
    return readFileSync(join(this.place.data, "ca.crt"), "utf8");
  }

  /** kill ends it as it is; start brings the next one up on the same folder and port. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    await this.daemon.stop(signal);
  }

  async start(): Promise<void> {
    this.daemon = startDaemon(this.argv);
    await this.daemon.line(READY);
  }

  async invite(...flags: readonly string[]): Promise<string> {
    const said = await say(["invite", "--data", this.place.data, ...flags]);
    if (said.code !== 0) throw new Error(said.err);
    return said.out.trim();
  }

  async get<T>(path: string): Promise<T> {
    return (await (await this.#fetch(path)).json()) as T;
  }

  async evict(cluster: string): Promise<number> {
    return (await this.#fetch(`/v1/clusters/${cluster}`, "DELETE")).status;
  }

  /** tryInvite asks for an invite through the admin API, which may fail: its status, and the invite's id. */
  async tryInvite(): Promise<{ readonly status: number; readonly id: string | null; readonly detail: string }> {
    const response = await this.#fetch("/v1/invites", "POST", {});
    const said = (await response.json()) as { readonly id?: string; readonly detail?: string };
    return { status: response.status, id: said.id ?? null, detail: said.detail ?? "" };
  }

  async audit(since = 0): Promise<readonly AuditLine[]> {
    return (await this.get<{ items: AuditLine[] }>(`/v1/audit?since=${since}&limit=1000`)).items;
  }

  /** What no refused request may change: every record and every allocation, as sets. */
  async witness(): Promise<{ readonly records: readonly string[]; readonly allocations: readonly string[] }> {
    const [records, allocations] = await Promise.all([this.#all("/v1/records"), this.#all("/v1/allocations")]);
    return { records, allocations };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.daemon.stop("SIGKILL");
  }

  async #all(path: string): Promise<readonly string[]> {
    const page = await this.get<{ items: unknown[]; continue: string | null }>(`${path}?limit=1000`);
    if (page.continue !== null) throw new Error(`${path} has more than one page`);
    return page.items.map((item) => JSON.stringify(item)).sort();
  }

  #fetch(path: string, method = "GET", body?: object): Promise<Response> {
    const token = readFileSync(join(this.place.data, "admin.token"), "utf8").trim();
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    return fetch(`http://127.0.0.1:${this.place.http}${path}`, { method, headers, ...sent });
  }
}
