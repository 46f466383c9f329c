import { readFile } from "node:fs/promises";
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Agent, RequestOptions } from "node:https";
import { getBuiltinModule } from "node:process";
import type { Clock } from "#life";
import { err, ok, type Result } from "#values";
import type { KubeAccess } from "./access.ts";
import { type Credentials, loadCredentials } from "./credentials.ts";
import { type ApiFault, faultOf, unreachable } from "./fault.ts";
import { DISCOVERY, inVersion, isVersioned, type ServedVersion, servedVersion } from "./served-version.ts";

/** Loaded so for the reason that life/node-http.ts gives. */
const https = getBuiltinModule("node:https");

export interface ApiRequest {
  readonly method?: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** From the root, as `/api/v1/nodes`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  /** Others, as those of an impersonation. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** ApiTraffic counts what was exchanged with an API server, for metrics and benchmarks. */
export interface ApiTraffic {
  requests: number;
  writes: number;
  sentBytes: number;
  receivedBytes: number;
}

/** LineReader hears that an answer has begun, and then each line of it. */
export interface LineReader {
  opened(): void;
  line(text: string): void;
}

const NEWLINE = 10;
const ANSWER_MS = 30_000;
/** A service account's token is replaced by the kubelet well before it ends: an hour at the shortest. */
const TOKEN_AGE_MS = 60_000;
/** Credentials that were refused are not asked for again at once. */
const RELOAD_MS = 5000;
/** etcd holds no object of more than 1.5 MiB. */
const MAX_LINE_BYTES = 16 * 2 ** 20;
const MAX_ANSWER_BYTES = 256 * 2 ** 20;

/** ApiServer asks one API server, over connections that are kept. It makes no second attempt but one: after a 401 the
 *  credentials are read anew, since tokens end. */
export class ApiServer {
  readonly traffic: ApiTraffic = { requests: 0, writes: 0, sentBytes: 0, receivedBytes: 0 };
  readonly #access: KubeAccess;
  readonly #clock: Clock;
  readonly #userAgent: string;
  #credentials: Promise<Result<Credentials>> | null = null;
  #loadedAt = 0;
  #agent: Agent | null = null;
  #token: { readonly value: string; readonly at: number } | null = null;
  #version: ServedVersion | null = null;

  constructor(access: KubeAccess, clock: Clock, version: string) {
    this.#access = access;
    this.#clock = clock;
    this.#userAgent = `meridian/${version}`;
  }

  /** request gives the parsed answer; undefined where there is no body. */
  async request(request: ApiRequest, signal: AbortSignal): Promise<Result<unknown, ApiFault>> {
    const text = await this.#twice(request, signal, (message) => this.#whole(message));
    if (!text.ok) return text;
    try {
      return ok(text.value === "" ? undefined : JSON.parse(text.value));
    } catch (error) {
      return err({ code: 200, reason: "Garbled", message: String(error), retryAfterMs: null });
    }
  }

  /** stream gives an answer line by line, as a watch is written; it ends with the server's end, with the signal, or
   *  when nothing came for `silenceMs`. */
  async stream(
    request: ApiRequest,
    reader: LineReader,
    { signal, silenceMs }: { readonly signal: AbortSignal; readonly silenceMs: number },
  ): Promise<Result<void, ApiFault>> {
    return this.#twice(request, signal, (message) => this.#lines(message, reader, silenceMs));
  }

  /** close ends the connections that are kept. */
  close(): void {
    this.#agent?.destroy();
  }

  async #twice<T>(
    request: ApiRequest,
    signal: AbortSignal,
    read: (message: IncomingMessage) => Promise<T>,
  ): Promise<Result<T, ApiFault>> {
    const first = await this.#once(request, signal, read);
    if (first.ok || first.error.code !== 401) return first;
    if (this.#clock.monotonic() - this.#loadedAt < RELOAD_MS) return first;
    this.#credentials = null;
    this.#token = null;
    return this.#once(request, signal, read);
  }

  async #once<T>(
    request: ApiRequest,
    signal: AbortSignal,
    read: (message: IncomingMessage) => Promise<T>,
  ): Promise<Result<T, ApiFault>> {
    const credentials = await this.#login(signal);
    if (!credentials.ok) return err(unreachable(credentials.error));
    try {
      const version = isVersioned(request) ? await this.#served(credentials.value, signal) : null;
      const asked = version === null ? request : inVersion(request, version);
      const message = await this.#send(asked, credentials.value, signal);
      const code = message.statusCode ?? 0;
      if (code >= 200 && code < 300) return ok(await read(message));
      return err(faultOf(code, await this.#whole(message), message.headers["retry-after"]));
    } catch (error) {
      signal.throwIfAborted();
      return err(unreachable(error));
    }
  }

  /** Learnt once; where the group is not served yet it is asked for again. */
  async #served(credentials: Credentials, signal: AbortSignal): Promise<ServedVersion | null> {
    if (this.#version !== null) return this.#version;
    const message = await this.#send({ path: DISCOVERY }, credentials, signal);
    const text = await this.#whole(message);
    if (message.statusCode === 200) this.#version = servedVersion(JSON.parse(text));
    return this.#version;
  }

  async #send(request: ApiRequest, credentials: Credentials, signal: AbortSignal): Promise<IncomingMessage> {
    const { method = "GET", path, query = {}, body, contentType, accept, headers = {} } = request;
    const text = body === undefined ? "" : JSON.stringify(body);
    const base = new URL(credentials.server);
    const search = new URLSearchParams(query).toString();
    const authorization = await this.#authorization(credentials);
    const options: RequestOptions = {
      method,
      agent: this.#agent ?? undefined,
      host: base.hostname.replace(/^\[|\]$/g, ""),
      port: base.port || 443,
      path: `${base.pathname.replace(/\/$/, "")}${path}${search === "" ? "" : `?${search}`}`,
      signal,
      headers: {
        ...headers,
        accept: accept ?? "application/json",
        "user-agent": this.#userAgent,
        ...(authorization === null ? {} : { authorization }),
        ...(text === "" ? {} : { "content-type": contentType ?? "application/json" }),
        ...(text === "" ? {} : { "content-length": String(Buffer.byteLength(text)) }),
      },
    };
    this.traffic.requests += 1;
    if (method !== "GET") this.traffic.writes += 1;
    this.traffic.sentBytes += text.length;
    return answerTo(https.request(options), text);
  }

  async #authorization({ tokenFile, authorization }: Credentials): Promise<string | null> {
    if (tokenFile === null) return authorization;
    const now = this.#clock.monotonic();
    if (this.#token === null || now - this.#token.at > TOKEN_AGE_MS) {
      this.#token = { value: (await readFile(tokenFile, "utf8")).trim(), at: now };
    }
    return `Bearer ${this.#token.value}`;
  }

  #login(signal: AbortSignal): Promise<Result<Credentials>> {
    this.#credentials ??= this.#load(signal);
    return this.#credentials;
  }

  async #load(signal: AbortSignal): Promise<Result<Credentials>> {
    const loaded = await loadCredentials(this.#access, signal);
    this.#loadedAt = this.#clock.monotonic();
    if (!loaded.ok) {
      this.#credentials = null; // asked for again by the next request
      return loaded;
    }
    const { ca, cert, key, servername, insecure } = loaded.value;
    this.#agent?.destroy();
    this.#agent = new https.Agent({
      keepAlive: true,
      keepAliveMsecs: 15_000,
      ...(ca === null ? {} : { ca }),
      ...(cert === null ? {} : { cert }),
      ...(key === null ? {} : { key }),
      ...(servername === null ? {} : { servername }),
      rejectUnauthorized: !insecure,
    });
    return loaded;
  }

  async #whole(message: IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of message as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      this.traffic.receivedBytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES) throw new Error(`the answer is larger than ${MAX_ANSWER_BYTES} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString("utf8");
  }

  /** Each chunk is taken as it comes: an iterator would add turns of the event loop to every change. */
  #lines(message: IncomingMessage, { opened, line }: LineReader, silenceMs: number): Promise<void> {
    opened();
    message.setTimeout(silenceMs, () => message.destroy(new Error(`nothing was heard for ${silenceMs / 1000} s`)));
    let rest: Buffer[] = [];
    const take = (chunk: Buffer): void => {
      this.traffic.receivedBytes += chunk.length;
      let from = 0;
      for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
        rest.push(chunk.subarray(from, at));
        line((rest.length === 1 ? chunk.subarray(from, at) : Buffer.concat(rest)).toString("utf8"));
        rest = [];
        from = at + 1;
      }
      if (from < chunk.length) rest.push(chunk.subarray(from));
      const waiting = rest.reduce((sum, part) => sum + part.length, 0);
      if (waiting > MAX_LINE_BYTES) message.destroy(new Error(`a line is longer than ${MAX_LINE_BYTES} bytes`));
    };
    return new Promise((resolve, reject) => {
      message.on("data", take);
      message.once("end", resolve);
      message.once("error", reject);
      message.once("close", () => reject(new Error("the connection was closed"))); // after an end this says nothing
    });
  }
}

function answerTo(request: ClientRequest, body: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once("response", resolve);
    request.once("error", reject);
    request.setTimeout(ANSWER_MS, () => request.destroy(new Error(`no answer within ${ANSWER_MS / 1000} s`)));
    request.end(body);
  });
}
