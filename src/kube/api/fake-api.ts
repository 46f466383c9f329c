import { err, ok, type Result } from "#values";
import type { ApiRequest, LineReader } from "./api-server.ts";
import { type ApiFault, statusFault } from "./fault.ts";

/** FakeApi is one kind of objects behind an API, for what a real server cannot be made to do: to answer 429 and 410 when
 *  it is told to, and to lose events. It knows lists with pages, metadata alone, and watches. */
export class FakeApi {
  readonly objects = new Map<string, string>();
  readonly requests: string[] = [];
  version = 1;
  /** Faults that the next requests get, the first first. */
  readonly faults: ApiFault[] = [];
  #watches = new Set<(text: string) => void>();
  #ends = new Set<() => void>();

  /** put makes or changes an object; `silent`: the watches do not hear of it. */
  put(name: string, { silent = false } = {}): void {
    this.version += 1;
    const type = this.objects.has(name) ? "MODIFIED" : "ADDED";
    this.objects.set(name, String(this.version));
    if (!silent) this.#tell(type, name);
  }

  remove(name: string, { silent = false } = {}): void {
    this.version += 1;
    if (!silent) this.#tell("DELETED", name);
    this.objects.delete(name);
  }

  /** expire ends all watches with the ERROR event of a version that is gone from the history. */
  expire(): void {
    const object = { kind: "Status", code: 410, reason: "Expired", message: "too old resource version" };
    for (const watch of [...this.#watches]) watch(JSON.stringify({ type: "ERROR", object }));
  }

  /** end closes all watches, as a server does after a while. */
  end(): void {
    for (const end of [...this.#ends]) end();
  }

  async request({ query = {}, accept }: ApiRequest): Promise<Result<unknown, ApiFault>> {
    this.requests.push(accept === undefined ? "list" : "compare");
    const fault = this.faults.shift();
    if (fault !== undefined) return err(fault);
    const names = [...this.objects.keys()].toSorted();
    const [from, most] = [Number(query["continue"] ?? 0), Number(query["limit"])];
    const items = names.slice(from, from + most).map((name) => ({ metadata: this.#metadata(name) }));
    const next = from + most < names.length ? String(from + most) : "";
    return ok({ metadata: { resourceVersion: String(this.version), continue: next }, items });
  }

  async stream(
    { query = {} }: ApiRequest,
    { opened, line }: LineReader,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Result<void, ApiFault>> {
    this.requests.push(`watch ${query["resourceVersion"]}`);
    const fault = this.faults.shift();
    if (fault !== undefined) return err(fault);
    opened();
    this.#watches.add(line);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#ends.add(resolve);
        signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      });
      return ok(undefined);
    } finally {
      this.#watches.delete(line);
    }
  }

  #metadata(name: string) {
    return { name, namespace: "shop", uid: name, resourceVersion: this.objects.get(name) ?? String(this.version) };
  }

  #tell(type: string, name: string): void {
    const text = JSON.stringify({ type, object: { metadata: this.#metadata(name) } });
    for (const watch of this.#watches) watch(text);
  }
}

/** apiFault is a Status with a code, as a server answers. */
export function apiFault(code: number, reason: string, retryAfterSeconds?: number): ApiFault {
  return statusFault({ code, reason, message: reason, details: { retryAfterSeconds } });
}
