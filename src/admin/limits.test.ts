import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { performance } from "node:perf_hooks";
import { describe, expect, test } from "vitest";
import { Secret, silentLog, systemClock } from "#life";
import type { HostPort, Ip } from "#values";
import { createAdminHttp } from "./admin-http.ts";
import { aDesk } from "./fake-desk.ts";
import { type Api, running, sendRaw, startApi, TLS, TOKEN } from "./testbed.ts";

const HEAD = `Host: localhost\r\nAuthorization: Bearer ${TOKEN}\r\n`;

async function open({ host, port }: HostPort, first = ""): Promise<Socket> {
  const socket = connect({ host, port });
  socket.on("error", () => {});
  socket.resume();
  await once(socket, "connect");
  if (first !== "") socket.write(first);
  return socket;
}

async function closedAfter(socket: Socket): Promise<number> {
  const start = performance.now();
  await new Promise((resolve) => socket.once("close", resolve));
  return performance.now() - start;
}

function statusOf(raw: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(raw)?.[1] ?? 0);
}

/** still asks again after an attack: the process lives, and its prototypes are as they were. */
async function still(api: Api): Promise<void> {
  expect((await api.ask({ path: "/v1/clusters" })).status).toBe(200);
  expect(Object.keys(Object.prototype)).toEqual([]);
}

describe("the HTTP server against what is malformed", () => {
  const post = (headers: string, body: string): string =>
    `POST /v1/invites HTTP/1.1\r\n${HEAD}${headers}\r\n\r\n${body}`;
  const json = "Content-Type: application/json\r\n";
  test.each([
    ["headers of 100 KiB", `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ${"a".repeat(100_000)}\r\n\r\n`, 431],
    ["10,000 headers", `GET /healthz HTTP/1.1\r\nHost: localhost\r\n${"a: b\r\n".repeat(10_000)}\r\n`, 431],
    ["no Host", "GET /healthz HTTP/1.1\r\n\r\n", 400],
    ["two Hosts", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n", 400],
    ["two credentials", `GET /v1/audit HTTP/1.1\r\n${HEAD}Authorization: Bearer x\r\nConnection: close\r\n\r\n`, 400],
    ["both lengths", post(`${json}Content-Length: 4\r\nTransfer-Encoding: chunked`, "0\r\n\r\nGET /x"), 400],
    ["two lengths", post(`${json}Content-Length: 4\r\nContent-Length: 5`, "{}"), 400],
    ["a folded header", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nA: b\r\n c: d\r\nConnection: close\r\n\r\n", 400],
    ["bare line feeds", "GET /healthz HTTP/1.1\nHost: localhost\n\n", 400],
    [
      "an absolute target",
      "GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
      400,
    ],
    [
      "a header __proto__",
      "GET /healthz HTTP/1.1\r\nHost: localhost\r\n__proto__: x\r\nConnection: close\r\n\r\n",
      200,
    ],
    ["a chunk that never ends well", post(`${json}Transfer-Encoding: chunked`, "ZZ\r\n"), 400],
    ["a depth of a million", post(`${json}Content-Length: 1000000\r\nConnection: close`, "[".repeat(1_000_000)), 413],
    ["chunks beyond the limit", post(`${json}Transfer-Encoding: chunked`, `11170\r\n${"1".repeat(70_000)}\r\n`), 413],
    ["bytes that are not UTF-8", post(`${json}Content-Length: 4\r\nConnection: close`, '"\u00ff"x'), 400],
  ])("%s", async (_, text, status) => {
    await using api = await startApi();
    expect(statusOf(await sendRaw(api.at, text))).toBe(status);
    await still(api);
  });

  test("an upgrade and a CONNECT lead nowhere", async () => {
    await using api = await startApi();
    const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    const upgraded = await sendRaw(
      api.at,
      `GET /v1/audit HTTP/1.1\r\nHost: localhost\r\n${upgrade}Connection: close\r\n\r\n`,
    );
    expect(statusOf(upgraded)).not.toBe(101);
    expect(await sendRaw(api.at, "CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n")).toBe("");
    await still(api);
  });

  test("numbers that are too large, and names of prototypes, change nothing", async () => {
    await using api = await startApi();
    for (const body of ['{"uses":1e400}', '{"uses":9007199254740993}', '{"toString":1}', '{"__proto__":{"a":1}}']) {
      const { status } = await api.ask({ path: "/v1/invites", method: "POST", body });
      expect([400, 422]).toContain(status);
    }
    expect(api.desk.made).toHaveLength(1);
    await still(api);
  });
});

describe("the HTTP server against what is slow", () => {
  test.concurrent("[CVE-2020-7219] whoever says nothing, or never ends, is cut within ten seconds, and others are served meanwhile", async () => {
    await using api = await startApi();
    const body = `POST /v1/invites HTTP/1.1\r\n${HEAD}Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{`;
    const firsts = ["", "G", "GET /healthz HTTP/1.1\r\nHost: loc", body];
    const sockets = await Promise.all(Array.from({ length: 200 }, (_, n) => open(api.at, firsts[n % firsts.length])));
    const drip = setInterval(() => sockets.forEach((socket) => void (socket.writable && socket.write("a"))), 1000);
    const times: number[] = [];
    const asking = Promise.all(sockets.map(closedAfter)).then((spans) => Math.max(...spans));
    for (let n = 0; n < 50; n += 1) {
      const start = performance.now();
      expect((await api.ask({ path: "/v1/clusters" })).status).toBe(200);
      times.push(performance.now() - start);
    }
    expect(await asking).toBeLessThan(10_500);
    clearInterval(drip);
    expect(times.toSorted((a, b) => a - b)[25]).toBeLessThan(50);
  });

  test.concurrent("[CVE-2020-7219] whoever begins TLS and goes no further is cut as soon", async () => {
    const listen = { host: "0.0.0.0" as Ip, port: 0 };
    const token = new Secret(TOKEN);
    const common = { desk: aDesk(), token, tls: TLS, version: "1", clock: systemClock, log: silentLog };
    const room = createAdminHttp({ listen, ...common });
    await using _ = await running(room);
    const at = { host: "127.0.0.1" as Ip, port: room.bound().port };
    const sockets = await Promise.all(
      ["", "\u0016\u0003\u0001", "GET / HTTP/1.1\r\n\r\n"].map((text) => open(at, text)),
    );
    expect(Math.max(...(await Promise.all(sockets.map(closedAfter))))).toBeLessThan(10_500);
  });

  test("with more idle connections than it holds, whoever asks is still served", async () => {
    await using api = await startApi();
    const sockets: Socket[] = [];
    while (sockets.length < 700) {
      sockets.push(...(await Promise.all(Array.from({ length: 100 }, () => open(api.at)))));
    }
    for (let n = 0; n < 20; n += 1) expect((await api.ask({ path: "/healthz" })).status).toBe(200);
    expect(sockets.filter(({ closed }) => !closed).length).toBeLessThanOrEqual(512);
    for (const socket of sockets) socket.destroy();
  });
});
