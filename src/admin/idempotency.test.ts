import { describe, expect, test } from "vitest";
import { FAKE_TOKEN } from "./fake-desk.ts";
import { type Api, type Ask, startApi } from "./testbed.ts";

const key = (value: string): Record<string, string> => ({ "idempotency-key": value });
const reserve = (prefix: string, headers = {}): Ask => {
  return { method: "POST", path: "/v1/allocations", body: { prefix, note: "x" }, headers };
};
const done = ({ desk }: Api): number => desk.rows.filter(({ outcome }) => outcome === "done").length;

describe("Idempotency-Key", () => {
  test("the same request under the same key is answered the same and done once", async () => {
    await using api = await startApi();
    const before = done(api);
    const first = await api.ask(reserve("242.9.0.0/16", key("a")));
    api.desk.write([], []);
    const again = await api.ask(reserve("242.9.0.0/16", key("a")));
    expect([again.status, again.text]).toEqual([201, first.text]);
    expect(again.headers["meridian-revision"]).toBe(first.headers["meridian-revision"]);
    expect(done(api)).toBe(before + 1);
  });

  test("requests at the same moment are done once", async () => {
    await using api = await startApi();
    const before = done(api);
    const answers = await Promise.all(Array.from({ length: 20 }, () => api.ask(reserve("242.9.0.0/16", key("a")))));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(done(api)).toBe(before + 1);
  });

  test("another request under the same key is refused: other body, other path, other method", async () => {
    await using api = await startApi();
    await api.ask(reserve("242.9.0.0/16", key("a")));
    const others: readonly Ask[] = [
      reserve("242.10.0.0/16", key("a")),
      { method: "POST", path: "/v1/invites", body: {}, headers: key("a") },
      { method: "DELETE", path: "/v1/clusters/amber", headers: key("a") },
    ];
    for (const other of others) {
      expect((await api.ask(other)).json).toMatchObject({ status: 422, code: "idempotency-conflict" });
    }
    expect(api.desk.members.get("amber")?.state).toBe("live");
  });

  test("a delete that was repeated answers as the first", async () => {
    await using api = await startApi();
    const evict: Ask = { method: "DELETE", path: "/v1/clusters/amber", headers: key("a") };
    expect((await api.ask(evict)).text).toBe((await api.ask(evict)).text);
    expect(api.desk.rows.filter(({ action }) => action === "evict")).toHaveLength(1);
  });

  test("a refusal is repeated too, but not what could not be done for now", async () => {
    await using api = await startApi();
    const known = await api.ask(reserve("242.1.0.0/16", key("a")));
    api.desk.reserved = [];
    const repeated = await api.ask(reserve("242.1.0.0/16", key("a")));
    expect(known).toMatchObject({ status: 409, json: { code: "conflict" } });
    expect(repeated).toMatchObject({ status: 409, text: known.text });
    expect(repeated.headers["content-type"]).toBe("application/problem+json");
    api.desk.full = true;
    expect((await api.ask(reserve("242.9.0.0/16", key("b")))).status).toBe(503);
    api.desk.full = false;
    expect((await api.ask(reserve("242.9.0.0/16", key("b")))).status).toBe(201);
  });

  test("a repeated invite is the same invite without its token, which is nowhere kept", async () => {
    await using api = await startApi();
    const request: Ask = { method: "POST", path: "/v1/invites", body: {}, headers: key("a") };
    const first = await api.ask(request);
    const again = await api.ask(request);
    expect(first.json["token"]).toBe(FAKE_TOKEN);
    expect(again.json).toEqual({ ...first.json, token: null });
    expect(JSON.stringify([...api.desk.answers])).not.toContain(FAKE_TOKEN);
  });

  test.each(["", " ", "a b", "é", "x".repeat(201)])("a key %j is refused", async (value) => {
    await using api = await startApi();
    expect((await api.ask(reserve("242.9.0.0/16", key(value)))).json).toMatchObject({ status: 400 });
    expect(api.desk.reserved).toHaveLength(2);
  });

  test("requests that are wrong in themselves leave the key free", async () => {
    await using api = await startApi();
    expect((await api.ask(reserve("nonsense", key("a")))).status).toBe(422);
    expect((await api.ask(reserve("242.9.0.0/16", key("a")))).status).toBe(201);
  });
});
