import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { Secret, silentLog, systemClock } from "#life";
import type { Ip } from "#values";
import { createAdminHttp } from "./admin-http.ts";
import { askBroker } from "./ask-broker.ts";
import { aDesk, FAKE_TOKEN } from "./fake-desk.ts";
import { running, startApi, TLS, TOKEN } from "./testbed.ts";

const token = new Secret(TOKEN);
const signal = new AbortController().signal;
const list = { token, ca: null, method: "GET", path: "/v1/clusters", signal } as const;

/** The chain's last certificate is the authority that made it. */
const CA = TLS.cert.slice(TLS.cert.lastIndexOf("-----BEGIN"));

describe("askBroker()", () => {
  test("asks over plain HTTP on this host", async () => {
    await using api = await startApi();
    const url = `http://127.0.0.1:${api.at.port}`;
    const body = { cluster: null, ttlSeconds: 900, uses: 1 };
    const made = await askBroker({ ...list, url, method: "POST", path: "/v1/invites", body });
    expect(made).toMatchObject({ ok: true, value: { token: FAKE_TOKEN } });
    expect(await askBroker({ ...list, url: `${url}/` })).toMatchObject({ ok: true, value: { revision: 3 } });
  });

  test("asks over TLS under the broker's own authority, and no other", async () => {
    const listen = { host: "0.0.0.0" as Ip, port: 0 };
    const desk = aDesk();
    const room = createAdminHttp({ listen, desk, token, tls: TLS, version: "1", clock: systemClock, log: silentLog });
    await using _ = await running(room);
    const url = `https://127.0.0.1:${room.bound().port}`;
    expect(await askBroker({ ...list, url, ca: CA })).toMatchObject({ ok: true });
    expect(await askBroker({ ...list, url })).toMatchObject({ error: { code: "failed" } });
    expect(desk.rows).toHaveLength(1);
  });

  test("says what was refused, in the broker's words", async () => {
    await using api = await startApi();
    const url = `http://127.0.0.1:${api.at.port}`;
    const wrong = await askBroker({ ...list, url, token: new Secret("wrong") });
    expect(wrong).toMatchObject({
      error: { code: "refused", message: expect.stringContaining("the token is not known") },
    });
    const body = { uses: 0 };
    const invite = await askBroker({ ...list, url, method: "POST", path: "/v1/invites", body });
    expect(invite).toMatchObject({ error: { code: "refused", message: expect.stringContaining("/uses") } });
    api.desk.full = true;
    const evict = await askBroker({ ...list, url, method: "DELETE", path: "/v1/clusters/amber" });
    expect(evict).toMatchObject({ error: { code: "failed", message: expect.stringContaining("the disk is full") } });
  });

  test("never sends the token in clear to another host, nor to what is no URL", async () => {
    for (const url of [
      "http://broker.example:7480",
      "http://192.0.2.1",
      "http://127.0.0.1.evil.example",
      "nonsense",
      "file:///x",
    ]) {
      expect(await askBroker({ ...list, url })).toMatchObject({ error: { code: "refused" } });
    }
  });

  test("[CVE-2026-47768] does not follow a redirect, where the token would go with it", async () => {
    const server = createServer((_, response) =>
      response.writeHead(302, { location: "http://192.0.2.1/" }).end(),
    ).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    expect(await askBroker({ ...list, url: `http://127.0.0.1:${port}` })).toMatchObject({ error: { code: "failed" } });
    server.close();
    await once(server, "close");
    expect(await askBroker({ ...list, url: `http://127.0.0.1:${port}` })).toMatchObject({
      error: { code: "not-running" },
    });
  });
});
