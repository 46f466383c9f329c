import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { Secret, silentLog } from "#life";
import type { Cidr, HostPort, Ip } from "#values";
import { createAdminHttp } from "./admin-http.ts";
import { aDesk, FAKE_HASH, FAKE_TOKEN, fakeAllocation, fakeRecord } from "./fake-desk.ts";
import { ask, clockAtNow, LOOPBACK, ManualClock, running, startApi, TLS, TOKEN } from "./testbed.ts";

function options(listen: HostPort, desk = aDesk()) {
  const token = new Secret(TOKEN);
  return { listen, desk, token, tls: TLS, version: "1.2.3", clock: clockAtNow(), log: silentLog };
}

describe("createAdminHttp() clusters", () => {
  test("lists them by id, whatever order the desk has", async () => {
    await using api = await startApi();
    const { json } = await api.ask({ path: "/v1/clusters" });
    expect((json["items"] as { id: string }[]).map(({ id }) => id)).toEqual(["amber", "birch", "cedar"]);
    expect(json).toMatchObject({ revision: 3, continue: null });
  });

  test("gives one, with times as RFC 3339 and null for what is not known", async () => {
    await using api = await startApi();
    const { json } = await api.ask({ path: "/v1/clusters/amber" });
    expect(json).toMatchObject({ id: "amber", revision: 3, joinedAt: "2026-01-02T03:04:05.000Z" });
    expect(json["gateways"]).toMatchObject([{ address: null, revision: null }]);
  });

  test.each(["oak", "A_B", "%2e%2e", "amber%00", "__proto__", "x".repeat(300)])("knows no cluster %s", async (id) => {
    await using api = await startApi();
    expect((await api.ask({ path: `/v1/clusters/${id}` })).json).toMatchObject({ code: "not-found", status: 404 });
    expect((await api.ask({ path: `/v1/clusters/${id}`, method: "DELETE" })).json).toMatchObject({ code: "not-found" });
  });

  test("refuses a path with a broken percent-encoding", async () => {
    await using api = await startApi();
    expect((await api.ask({ path: "/v1/clusters/%zz" })).json).toMatchObject({ code: "bad-request" });
  });

  test("evicts one, in the name of who asked, and answers the new revision", async () => {
    await using api = await startApi();
    const answer = await api.ask({ path: "/v1/clusters/amber", method: "DELETE" });
    expect(answer.json).toEqual({ revision: 4 });
    expect(answer.headers["meridian-revision"]).toBe("4");
    expect(api.desk.rows.at(-1)).toMatchObject({ actor: "admin", action: "evict", subject: "amber", outcome: "done" });
    expect((await api.ask({ path: "/v1/clusters/amber" })).json["state"]).toBe("evicted");
  });

  test("says 503 when the store cannot write, and writes down that it was refused", async () => {
    await using api = await startApi();
    api.desk.full = true;
    const answer = await api.ask({ path: "/v1/clusters/amber", method: "DELETE" });
    expect(answer.json).toMatchObject({ code: "unavailable", status: 503, detail: "the disk is full" });
    expect(api.desk.rows.at(-1)).toMatchObject({ actor: "admin", outcome: "refused", subject: "/v1/clusters/amber" });
  });
});

describe("createAdminHttp() allocations and invites", () => {
  test("reserves a prefix once", async () => {
    await using api = await startApi();
    const body = { prefix: "242.9.0.0/16", note: "the office" };
    const request = { path: "/v1/allocations", method: "POST", body };
    expect(await api.ask(request)).toMatchObject({ status: 201, json: { ...body, kind: "reserved", revision: 4 } });
    expect(await api.ask(request)).toMatchObject({ status: 409, json: { code: "conflict" } });
  });

  test("names the network that a prefix with host bits was meant for", async () => {
    await using api = await startApi();
    const body = { prefix: "242.9.0.1/16", note: "x" };
    const { json } = await api.ask({ path: "/v1/allocations", method: "POST", body });
    expect(json["errors"]).toEqual([{ pointer: "/prefix", detail: expect.stringContaining("242.9.0.0/16") }]);
  });

  test("makes an invite with defaults, and shows its token in that answer alone", async () => {
    await using api = await startApi();
    const made = await api.ask({ path: "/v1/invites", method: "POST", body: {} });
    expect(made.json).toMatchObject({
      uses: 1,
      cluster: null,
      expiresAt: "2026-01-02T03:19:05.000Z",
      token: FAKE_TOKEN,
    });
    const list = await api.ask({ path: "/v1/invites" });
    expect(list.text).not.toContain(FAKE_TOKEN);
    expect(list.text).not.toContain(FAKE_HASH);
    expect(JSON.stringify(api.desk.rows)).not.toContain(FAKE_TOKEN);
  });

  test("revokes an invite", async () => {
    await using api = await startApi();
    expect((await api.ask({ path: "/v1/invites/invite-1", method: "DELETE" })).status).toBe(200);
    const [invite] = (await api.ask({ path: "/v1/invites" })).json["items"] as { state: string }[];
    expect(invite?.state).toBe("revoked");
    expect((await api.ask({ path: "/v1/invites/none", method: "DELETE" })).status).toBe(404);
  });
});

describe("createAdminHttp() records and audit", () => {
  test("lists records by revision, then by key, and picks by kind and cluster", async () => {
    await using api = await startApi();
    const keys = async (query: string): Promise<readonly string[]> =>
      ((await api.ask({ path: `/v1/records${query}` })).json["items"] as { key: string }[]).map(({ key }) => key);
    expect(await keys("")).toEqual(["head/amber", "member/amber", "export/amber/shop/web", "grant/1", "member/birch"]);
    expect(await keys("?kind=member")).toEqual(["member/amber", "member/birch"]);
    expect(await keys("?cluster=amber&kind=export")).toEqual(["export/amber/shop/web"]);
    expect(await keys("?kind=grant&cluster=amber")).toEqual([]);
    expect((await api.ask({ path: "/v1/records?kind=secret" })).status).toBe(400);
    expect((await api.ask({ path: "/v1/records?cluster=A_B" })).status).toBe(400);
  });

  test("gives a record's body as the text that was signed", async () => {
    await using api = await startApi();
    api.desk.write([{ ...fakeRecord("nodes/amber"), body: '{ "odd" : 1e2 }' }], []);
    const [record] = (await api.ask({ path: "/v1/records?kind=nodes" })).json["items"] as { body: string }[];
    expect(record?.body).toBe('{ "odd" : 1e2 }');
  });

  test("a record that changes between two pages comes again instead of being missed", async () => {
    await using api = await startApi();
    const first = await api.ask({ path: "/v1/records?limit=2" });
    api.desk.write([fakeRecord("grant/1", 2)], ["member/birch"]);
    const rest = await api.ask({ path: `/v1/records?continue=${String(first.json["continue"])}` });
    expect((rest.json["items"] as { key: string }[]).map(({ key }) => key)).toEqual([
      "export/amber/shop/web",
      "grant/1",
    ]);
  });

  test("ends a page early when its bodies are large", async () => {
    await using api = await startApi();
    const large = JSON.stringify({ text: "x".repeat(100_000) });
    api.desk.write(
      [1, 2, 3, 4, 5].map((n) => ({ ...fakeRecord(`export/oak/shop/s${n}`), body: large })),
      [],
    );
    const page = await api.ask({ path: "/v1/records?cluster=oak" });
    expect(page.json["items"]).toHaveLength(3);
    expect(page.json["continue"]).not.toBeNull();
  });

  test("a page beyond the end is empty, and is the end", async () => {
    await using api = await startApi();
    const after = Buffer.from('["clusters","zzz"]').toString("base64url");
    const { json } = await api.ask({ path: `/v1/clusters?continue=${after}` });
    expect(json).toMatchObject({ items: [], continue: null });
    expect((await api.ask({ path: "/v1/audit?since=999999" })).json).toMatchObject({ items: [], continue: null });
  });

  test("lists the audit log above a number", async () => {
    await using api = await startApi();
    for (const id of ["birch", "cedar"]) await api.ask({ path: `/v1/clusters/${id}`, method: "DELETE" });
    const rows = (await api.ask({ path: "/v1/audit?since=1" })).json["items"] as { subject: string }[];
    expect(rows.map(({ subject }) => subject)).toEqual(["birch", "cedar"]);
  });

  test("lists allocations by address, which is not the order of their texts", async () => {
    const desk = aDesk();
    desk.reserved = (["9.0.0.0/8", "10.0.0.0/8", "100.0.0.0/8", "fd00::/64"] as Cidr[]).map((of) => fakeAllocation(of));
    await using api = await startApi({ desk });
    const first = await api.ask({ path: "/v1/allocations?limit=2" });
    const rest = await api.ask({ path: `/v1/allocations?continue=${String(first.json["continue"])}` });
    expect((rest.json["items"] as { prefix: string }[]).map(({ prefix }) => prefix)).toEqual([
      "100.0.0.0/8",
      "fd00::/64",
    ]);
  });
});

describe("createAdminHttp() without a credential", () => {
  test("answers health, readiness and metrics", async () => {
    await using api = await startApi();
    for (const path of ["/healthz", "/readyz"]) expect((await ask(api.at, { path })).status).toBe(200);
    const metrics = await ask(api.at, { path: "/metrics" });
    expect(metrics.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(metrics.text).toContain('meridian_broker_members{state="live"} 3');
    expect(metrics.text).toContain("meridian_sync_revision 3");
    expect((await ask(api.at, { path: "/metrics", method: "POST" })).headers.allow).toBe("GET, HEAD");
  });

  test("[CVE-2026-47726] tells nothing else, not even what there is", async () => {
    await using api = await startApi();
    for (const path of ["/v1/clusters", "/v1/nothing", "/", "/v1/openapi.json", "//", "/v1/clusters/amber"]) {
      const answer = await ask(api.at, { path });
      expect([path, answer.status, answer.headers["meridian-revision"]]).toEqual([path, 401, undefined]);
      expect(answer.headers["www-authenticate"]).toBe('Bearer realm="meridian"');
    }
  });

  test("writes down who was refused, and not what was tried as a token", async () => {
    await using api = await startApi();
    await ask(api.at, { path: "/v1/audit?token=guess-1", token: "guess-2" });
    expect(api.desk.rows.at(-1)).toMatchObject({
      action: "http GET",
      subject: "/v1/audit",
      outcome: "refused",
      actor: "stranger at 127.0.0.1",
    });
    expect(JSON.stringify(api.desk.rows)).not.toContain("guess");
  });

  test("strangers cannot fill the log, nor keep operators out of it", async () => {
    const clock = new ManualClock();
    await using api = await startApi({ clock });
    const refusals = (): number => api.desk.rows.filter(({ outcome }) => outcome === "refused").length;
    for (let n = 0; n < 60; n += 1) await ask(api.at, { path: "/v1/audit" });
    expect(refusals()).toBe(20);
    await api.ask({ path: "/v1/clusters/oak", method: "DELETE" });
    expect(refusals()).toBe(21);
    clock.advance(10_000);
    await ask(api.at, { path: "/v1/audit" });
    expect(api.desk.rows.at(-1)?.detail).toContain("and 40 more before it");
  });
});

describe("createAdminHttp() on an address that is not loopback's", () => {
  const anywhere: HostPort = { host: "0.0.0.0" as Ip, port: 0 };

  test("speaks TLS, and answers to the names of its certificate", async () => {
    const room = createAdminHttp(options(anywhere));
    await using _ = await running(room);
    const at = { host: "127.0.0.1" as Ip, port: room.bound().port };
    const get = { path: "/v1/clusters", token: TOKEN, ca: TLS.cert };
    expect((await ask(at, get)).status).toBe(200);
    expect((await ask(at, { ...get, headers: { host: `broker.test:${at.port}` } })).status).toBe(200);
    expect((await ask(at, { ...get, headers: { host: "evil.example" } })).status).toBe(403);
    const own = `https://broker.test:${at.port}`;
    expect((await ask(at, { ...get, headers: { host: own.slice(8), origin: own } })).status).toBe(200);
    await expect(ask(at, { path: "/healthz" })).rejects.toThrow(); // plain HTTP is not answered
  });
});

describe("createAdminHttp() as a room", () => {
  test("opens nothing before it runs, and frees its port when it stops", async () => {
    const room = createAdminHttp(options(LOOPBACK));
    expect(() => room.bound()).toThrow("is not listening");
    const on = await running(room);
    const { port } = room.bound();
    await on.stop();
    const again = createServer();
    await new Promise<void>((resolve) => again.listen(port, "127.0.0.1", resolve));
    again.close();
  });

  test("says which flag to change when the port is taken", async () => {
    await using first = await startApi();
    const second = createAdminHttp(options(first.at));
    await expect(second.run(new AbortController().signal)).rejects.toThrow(
      `--http 127.0.0.1:${first.at.port} is taken`,
    );
  });

  test("answers 500 without a stack when the desk breaks, and goes on", async () => {
    await using api = await startApi();
    api.desk.clusters = () => {
      throw new Error("secret inner state");
    };
    const answer = await api.ask({ path: "/v1/clusters" });
    expect(answer).toMatchObject({ status: 500, json: { code: "internal", detail: "see the log of the daemon" } });
    expect(answer.text).not.toContain("secret inner state");
    expect((await api.ask({ path: "/v1/latency" })).status).toBe(200);
  });

  test("a HEAD is a GET without its body", async () => {
    await using api = await startApi();
    const answer = await api.ask({ path: "/v1/clusters", method: "HEAD" });
    expect([answer.status, answer.text]).toEqual([200, ""]);
    expect(answer.headers["cache-control"]).toBe("no-store");
  });
});
