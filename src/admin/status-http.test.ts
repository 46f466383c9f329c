import { once } from "node:events";
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { silentLog, systemClock } from "#life";
import { err, type HostPort, ok } from "#values";
import { askDaemon } from "./ask-daemon.ts";
import { createStatusHttp, type Route, type StatusHttpOptions } from "./status-http.ts";
import { ask, LOOPBACK, running, temporaryFolder } from "./testbed.ts";

const signal = new AbortController().signal;
const routes: readonly Route[] = [
  { method: "GET", path: "/v1/status", handle: async () => ok({ role: "gateway" }) },
  { method: "GET", path: "/v1/explain", handle: async ({ query }) => ok(query) },
  { method: "GET", path: "/v1/nothing", handle: async () => ok(undefined) },
  {
    method: "GET",
    path: "/v1/wrong",
    handle: async ({ query }) => err({ code: query["code"] ?? "", message: "because" }),
  },
  { method: "POST", path: "/v1/leave", handle: async ({ body }) => ok(body) },
  { method: "POST", path: "/v1/status", handle: async () => err({ code: "conflict", message: "no" }) },
  {
    method: "POST",
    path: "/v1/bench",
    handle: async ({ progress }) => {
      for (const percent of [0, 50, 100]) progress({ percent });
      return ok(["done"]);
    },
  },
  {
    method: "POST",
    path: "/v1/broken",
    handle: async () => {
      throw new Error("secret inner state");
    },
  },
];

function room(listen: StatusHttpOptions["listen"], more: Partial<StatusHttpOptions> = {}) {
  const common = { routes, ready: () => null, metrics: async () => "meridian_up 1\n" };
  return createStatusHttp({ listen, ...common, clock: systemClock, log: silentLog, ...more });
}

/** served starts a status server on loopback and one on a socket, both with the same routes. */
async function served(more: Partial<StatusHttpOptions> = {}) {
  const folder = temporaryFolder();
  const path = join(folder.path, "admin.sock");
  const tcpRoom = room(LOOPBACK, more);
  const tcp = await running(tcpRoom);
  const socket = await running(room({ path }, more));
  const stop = async (): Promise<void> => {
    await Promise.all([tcp.stop(), socket.stop()]);
    folder[Symbol.dispose]();
  };
  return { path, at: tcpRoom.bound(), folder: folder.path, socket, [Symbol.asyncDispose]: stop };
}

describe("createStatusHttp()", () => {
  test("answers health, metrics and readiness with its reason", async () => {
    let reason: string | null = "the catalogue was not received yet";
    await using on = await served({ ready: () => reason });
    for (const where of [on.at, { path: on.path }]) {
      reason = "the catalogue was not received yet";
      expect((await ask(where, { path: "/healthz" })).text).toBe("ok\n");
      expect((await ask(where, { path: "/metrics" })).text).toBe("meridian_up 1\n");
      const not = await ask(where, { path: "/readyz" });
      expect(not).toMatchObject({ status: 503, json: { code: "not-ready", detail: reason } });
      reason = null;
      expect((await ask(where, { path: "/readyz" })).status).toBe(200);
    }
  });

  test("answers a GET with JSON, and hands over its parameters", async () => {
    await using on = await served();
    expect((await ask(on.at, { path: "/v1/status" })).json).toEqual({ role: "gateway" });
    expect((await ask(on.at, { path: "/v1/explain?q=web.shop&x=%20" })).json).toEqual({ q: "web.shop", x: " " });
    expect((await ask(on.at, { path: "/v1/nothing" })).text).toBe("null");
  });

  test.each([
    ["unknown", 404],
    ["invalid", 422],
    ["conflict", 409],
    ["unavailable", 503],
    ["anything else", 500],
    ["constructor", 500],
  ])("answers the code %s with %i", async (code, status) => {
    await using on = await served();
    const answer = await ask(on.at, { path: `/v1/wrong?code=${encodeURIComponent(code)}` });
    expect(answer).toMatchObject({ status, json: { detail: "because" } });
  });

  test("has no route that changes anything on TCP, all on its socket", async () => {
    await using on = await served();
    expect((await ask(on.at, { path: "/v1/leave", method: "POST", body: {} })).status).toBe(404);
    expect((await ask(on.at, { path: "/v1/status", method: "POST" })).headers.allow).toBe("GET, HEAD");
    expect((await ask({ path: on.path }, { path: "/v1/leave", method: "POST", body: {} })).status).toBe(200);
    expect((await ask({ path: on.path }, { path: "/v1/leave" })).headers.allow).toBe("POST");
  });

  test("answers no page of another site", async () => {
    await using on = await served();
    const headers = (host: string, origin?: string) => ({ host, ...(origin === undefined ? {} : { origin }) });
    const status = async (given: Record<string, string>) =>
      (await ask(on.at, { path: "/v1/status", headers: given })).status;
    expect(await status(headers("evil.example"))).toBe(403);
    expect(await status(headers(`localhost:${on.at.port}`, "http://evil.example"))).toBe(403);
    expect(await status(headers(`localhost:${on.at.port}`, `http://localhost:${on.at.port}`))).toBe(200);
    expect(await status(headers("127.0.0.1"))).toBe(200);
  });

  test("refuses a metric that cannot be had without a word about why", async () => {
    const metrics = async (): Promise<string> => {
      throw new Error("secret inner state");
    };
    await using on = await served({ metrics });
    const answer = await ask(on.at, { path: "/metrics" });
    expect([answer.status, answer.text.includes("secret")]).toEqual([500, false]);
  });
});

describe("createStatusHttp() on a path", () => {
  test("makes a socket that only its owner may open, and leaves nothing behind", async () => {
    const on = await served();
    expect(statSync(on.path).mode & 0o777).toBe(0o600);
    expect(readdirSync(on.folder)).toEqual(["admin.sock"]);
    await on.socket.stop();
    expect(existsSync(on.path)).toBe(false);
    await on[Symbol.asyncDispose]();
  });

  test("takes the place of a socket that a killed daemon left", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "admin.sock");
    writeFileSync(path, "");
    await using _ = await running(room({ path }));
    expect((await askDaemon(path, { method: "GET", path: "/v1/status", signal })).ok).toBe(true);
  });

  test("says so when the path is too long or its folder is not there", async () => {
    using folder = temporaryFolder();
    const long = join(folder.path, "x".repeat(120));
    await expect(room({ path: long }).run(signal)).rejects.toThrow("more than the 107 bytes");
    await expect(room({ path: join(folder.path, "none", "a.sock") }).run(signal)).rejects.toThrow("ENOENT");
  });

  test("a request that stops the daemon still gets its answer", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "admin.sock");
    const end = new AbortController();
    const leave: Route = {
      method: "POST",
      path: "/v1/leave",
      handle: async ({ signal: stopping }) => {
        end.abort();
        return ok({ message: "left", stopping: stopping.aborted });
      },
    };
    const http = room({ path }, { routes: [leave] });
    const run = http.run(end.signal);
    await http.started;
    const answer = await askDaemon(path, { method: "POST", path: "/v1/leave", body: {}, signal });
    expect(answer).toEqual(ok({ message: "left", stopping: true }));
    await run;
  });
});

describe("askDaemon()", () => {
  test("gives the answer of a GET and of a POST, and its progress", async () => {
    await using on = await served();
    const query = { q: "web & more", __proto__x: "1" };
    expect(await askDaemon(on.path, { method: "GET", path: "/v1/explain", query, signal })).toEqual(ok(query));
    const lines: unknown[] = [];
    const bench = {
      method: "POST",
      path: "/v1/bench",
      signal,
      onProgress: (line: unknown) => lines.push(line),
    } as const;
    expect(await askDaemon(on.path, bench)).toEqual(ok(["done"]));
    expect(lines).toEqual([{ percent: 0 }, { percent: 50 }, { percent: 100 }]);
    const body = { gateway: true };
    expect(await askDaemon(on.path, { method: "POST", path: "/v1/leave", body, signal })).toEqual(ok(body));
    expect(await askDaemon(on.path, { method: "POST", path: "/v1/leave", signal })).toEqual(ok(null));
  });

  test.each([
    ["GET", "/v1/wrong?code=unknown", "refused", "because"],
    ["GET", "/v1/wrong?code=x", "failed", "because"],
    ["POST", "/v1/status", "refused", "no"],
    ["POST", "/v1/broken", "failed", "the daemon failed: see its log"],
    ["POST", "/v1/none", "refused", "there is no such path"],
  ] as const)("says of %s %s: %s", async (method, path, code, message) => {
    await using on = await served();
    const answer = await askDaemon(on.path, { method, path, signal });
    expect(answer).toMatchObject({ ok: false, error: { code, message: expect.stringContaining(message) } });
  });

  test("says that no daemon is running: no socket, a file, a socket that nobody serves", async () => {
    using folder = temporaryFolder();
    const file = join(folder.path, "file.sock");
    writeFileSync(file, "");
    for (const path of [join(folder.path, "none.sock"), file]) {
      const answer = await askDaemon(path, { method: "GET", path: "/v1/status", signal });
      expect(answer).toMatchObject({ error: { code: "not-running", message: expect.stringContaining(path) } });
    }
  });

  test("says that the answer did not come whole", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "a.sock");
    const head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n";
    const half = '11\r\n{"progress":"x"}\n\r\n';
    for (const said of [
      head,
      head + half,
      `${head}${half}0\r\n\r\n`,
      `${head}3\r\n{{\n\r\n0\r\n\r\n`,
      "nonsense\r\n\r\n",
    ]) {
      const server = createServer((socket) => socket.once("data", () => socket.end(said))).listen(path);
      await once(server, "listening");
      const answer = await askDaemon(path, { method: "POST", path: "/v1/bench", signal });
      expect(answer).toMatchObject({ ok: false, error: { code: "failed" } });
      server.close();
      await once(server, "close");
    }
  });

  test("rejects when its signal aborts, and the daemon's handler hears of it", async () => {
    const heard = Promise.withResolvers<void>();
    const wait: Route = {
      method: "POST",
      path: "/v1/wait",
      handle: (given) =>
        new Promise((resolve) => {
          given.progress("waiting");
          given.signal.addEventListener("abort", () => {
            heard.resolve();
            resolve(ok(null));
          });
        }),
    };
    await using on = await served({ routes: [wait] });
    const stop = new AbortController();
    const asked = askDaemon(on.path, {
      method: "POST",
      path: "/v1/wait",
      signal: stop.signal,
      onProgress: () => stop.abort(),
    });
    await expect(asked).rejects.toThrow("abort");
    await heard.promise;
  });
});

test("the place of a server is an address or a path", () => {
  const at: HostPort = LOOPBACK;
  expect([room(at).name, room({ path: "/run/x" }).name]).toEqual(["http", "admin-socket"]);
});
