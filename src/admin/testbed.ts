import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type IncomingHttpHeaders, request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadBrokerKeys } from "#identity";
import { type Clock, Secret, silentLog, systemClock } from "#life";
import { expect, type HostPort, type Ip, millis } from "#values";
import { createAdminHttp } from "./admin-http.ts";
import { aDesk, type FakeDesk, NOW } from "./fake-desk.ts";
import type { HttpRoom } from "./http-room.ts";

/** What the tests of this room share: servers on loopback that stop at the end of a block, and ways to ask them. */

export const TOKEN = "test-token-0123456789abcdef";
export const LOOPBACK: HostPort = { host: "127.0.0.1" as Ip, port: 0 };

export interface Folder extends Disposable {
  readonly path: string;
}

export function temporaryFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), `meridian-admin-${process.pid}-`));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** A certificate for this host, as the broker makes it; made once, since keys take a while. */
const certified = (() => {
  using folder = temporaryFolder();
  const keys = expect(loadBrokerKeys(folder.path, ["127.0.0.1", "broker.test", "::1"], systemClock.now()));
  const key = keys.serverKey.export({ format: "pem", type: "pkcs8" }).toString();
  return { key, cert: keys.chainPem };
})();
export const TLS: { readonly key: string; readonly cert: string } = certified;

export interface Running<T extends HttpRoom = HttpRoom> extends AsyncDisposable {
  readonly room: T;
  /** Stops the room and waits until it has. */
  stop(): Promise<void>;
}

/** running starts a room, and stops it at the end of the block. */
export async function running(room: HttpRoom): Promise<Running> {
  const end = new AbortController();
  const run = room.run(end.signal);
  await Promise.race([room.started, run]);
  const stop = async (): Promise<void> => {
    end.abort();
    await run;
  };
  return { room, stop, [Symbol.asyncDispose]: stop };
}

export interface Api extends AsyncDisposable {
  readonly desk: FakeDesk;
  readonly at: HostPort;
  readonly room: HttpRoom;
  stop(): Promise<void>;
  ask(request: Ask): Promise<Answer>;
}

/** startApi serves a fake desk over HTTP, on a loopback address. */
export async function startApi({
  desk = aDesk(),
  clock = clockAtNow(),
}: {
  desk?: FakeDesk;
  clock?: Clock;
} = {}): Promise<Api> {
  const room = createAdminHttp({
    listen: LOOPBACK,
    desk,
    token: new Secret(TOKEN),
    tls: TLS,
    version: "1.2.3",
    clock,
    log: silentLog,
  });
  const on = await running(room);
  const at = room.bound();
  const { stop } = on;
  return { desk, at, room, stop, ask: (request) => ask(at, { token: TOKEN, ...request }), [Symbol.asyncDispose]: stop };
}

/** clockAtNow is the real clock, but the day is always the same. */
export function clockAtNow(): Clock {
  return { ...systemClock, now: () => NOW };
}

export interface Ask {
  readonly method?: string;
  readonly path: string;
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** A text is sent as it is, anything else as JSON. */
  readonly body?: unknown;
  readonly ca?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
}

/** ask sends one request and reads the whole answer. */
export async function ask(to: HostPort | { readonly path: string }, given: Ask): Promise<Answer> {
  const { method = "GET", path, token = null, body, ca } = given;
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const headers = {
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    ...(text === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
    ...given.headers,
  };
  const where = "path" in to ? { socketPath: to.path } : { host: to.host, port: to.port };
  const options = {
    ...where,
    method,
    path,
    headers,
    agent: false,
    ...(ca === undefined ? {} : { ca, servername: "broker.test" }),
  };
  const call = (ca === undefined ? plainRequest : tlsRequest)(options);
  call.end(text);
  const [response] = await once(call, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const whole = Buffer.concat(chunks).toString("utf8");
  return { status: response.statusCode, headers: response.headers, text: whole, json: jsonOf(whole) };
}

function jsonOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}

/** sendRaw writes bytes to a port and gives everything that came back until the other end closed. */
export async function sendRaw({ host, port }: HostPort, text: string): Promise<string> {
  const socket = connect({ host, port });
  socket.on("error", () => {}); // a reset ends the answer as well as a close does
  socket.write(text);
  let got = "";
  socket.on("data", (chunk) => {
    got += chunk.toString("latin1");
  });
  await new Promise((resolve) => socket.once("close", resolve));
  return got;
}

/** ManualClock stands still until it is told to go on. */
export class ManualClock implements Clock {
  #now = 0;
  #sleepers: { readonly at: number; readonly wake: () => void }[] = [];

  now() {
    return millis(NOW + this.#now);
  }

  monotonic(): number {
    return this.#now;
  }

  sleep(span: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      this.#sleepers.push({ at: this.#now + span, wake: resolve });
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }

  /** advance moves time and wakes whoever has slept long enough. */
  advance(span: number): void {
    this.#now += span;
    const due = this.#sleepers.filter(({ at }) => at <= this.#now);
    this.#sleepers = this.#sleepers.filter(({ at }) => at > this.#now);
    for (const { wake } of due) wake();
  }
}
