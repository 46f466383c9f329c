import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import type { HostPort } from "#values";
import { headless, ip, pods, virtual } from "./example-services.ts";
import { type DnsQuestion, encodeQuery, query } from "./query-client.ts";
import { FLAG, testbed } from "./testbed.ts";
import { concat } from "./wire-name.ts";

const Z = "clusterset.local";
const bed = testbed([virtual(), headless(pods(100))]);
const never = new AbortController().signal;

interface Stub extends Disposable {
  readonly at: HostPort;
  readonly heard: Uint8Array[];
}

/** stub is a UDP server that answers each message with what the function gives for it. */
async function stub(replies: (query: Uint8Array, n: number) => readonly Uint8Array[]): Promise<Stub> {
  const socket: Socket = createSocket("udp4");
  const heard: Uint8Array[] = [];
  socket.on("message", (octets, { port, address }) => {
    heard.push(octets);
    for (const reply of replies(octets, heard.length)) socket.send(reply, port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const at = { host: ip("127.0.0.1"), port: socket.address().port };
  return { at, heard, [Symbol.dispose]: () => socket.close() };
}

function ask(server: HostPort, fields: Partial<DnsQuestion> = {}) {
  return query({ server, name: `web.shop.svc.${Z}`, type: "A", timeoutMs: 100, tries: 2, ...fields }, never);
}

function changed(octets: Uint8Array, at: number, value: number): Uint8Array {
  const copy = Uint8Array.from(octets);
  copy[at] = value;
  return copy;
}

describe("query()", () => {
  test("gives the answer in presentation form", async () => {
    using server = await stub((octets) => [bed.raw(octets)]);
    expect(await ask(server.at)).toMatchObject({
      ok: true,
      value: {
        rcode: "NOERROR",
        authoritative: true,
        answers: [{ name: `web.shop.svc.${Z}`, ttl: 5, type: "A", data: "10.0.0.1" }],
      },
    });
    const soa = await ask(server.at, { type: "soa", name: Z });
    expect(soa.ok && soa.value.answers[0]?.data).toMatch(/^ns\.dns\.clusterset\.local hostmaster\./);
    const hinfo = await ask(server.at, { type: "ANY" });
    expect(hinfo.ok && hinfo.value.answers[0]).toMatchObject({ type: "HINFO", data: "\\# 9 075246433834383200" });
  });

  test("asks again when nothing comes, then says that time is up", async () => {
    using slow = await stub((octets, n) => (n === 2 ? [bed.raw(octets)] : []));
    expect((await ask(slow.at)).ok).toBe(true);
    using silent = await stub(() => []);
    expect(await ask(silent.at)).toEqual({ ok: false, error: { kind: "timeout", detail: "no reply in time" } });
    expect(silent.heard).toHaveLength(2);
  });

  test("waits past replies to other questions, other ids, and queries", async () => {
    using noisy = await stub((octets) => {
      const good = bed.raw(octets);
      const id = changed(good, 0, (good[0] ?? 0) ^ 1);
      return [id, changed(good, 14, 120), changed(good, 2, 0), good.slice(0, 11), new Uint8Array(3), good];
    });
    const answer = await ask(noisy.at);
    expect(answer.ok && answer.value.answers).toHaveLength(1);
  });

  test("takes another spelling of its name, and an error that echoes no question", async () => {
    using shouting = await stub((octets) => [changed(bed.raw(octets), 13, 0x57)]);
    expect((await ask(shouting.at)).ok).toBe(true);
    using refusing = await stub((octets) => [
      concat(octets.slice(0, 2), Uint8Array.of(0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0)),
    ]);
    expect(await ask(refusing.at)).toMatchObject({ ok: true, value: { rcode: "FORMERR" } });
  });

  test("a reply that leads in circles is malformed, and does not hang", async () => {
    using looping = await stub((octets) => {
      const end = octets.length - 11;
      const header = concat(octets.slice(0, 2), Uint8Array.of(0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0));
      return [concat(header, octets.slice(12, end), Uint8Array.of(0xc0, end, 0, 1, 0, 1, 0, 0, 0, 5, 0, 0))];
    });
    expect(await ask(looping.at)).toMatchObject({ ok: false, error: { kind: "malformed" } });
  });

  test("says when nobody listens", async () => {
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    const at = { host: ip("127.0.0.1"), port: socket.address().port };
    await new Promise<void>((resolve) => socket.close(() => resolve()));
    expect(await ask(at)).toMatchObject({ ok: false, error: { kind: "unreachable" } });
    expect(await ask(at, { tcp: true })).toMatchObject({ ok: false, error: { kind: "unreachable" } });
  });

  test("by TCP: silence is a timeout, a closed connection is malformed", async () => {
    const server = createServer((socket) => setTimeout(() => socket.end(), 30).unref()).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const at = { host: ip("127.0.0.1"), port: typeof address === "object" && address !== null ? address.port : 0 };
    expect(await ask(at, { tcp: true, timeoutMs: 1000 })).toMatchObject({ ok: false, error: { kind: "malformed" } });
    expect(await ask(at, { tcp: true, timeoutMs: 5 })).toMatchObject({ ok: false, error: { kind: "timeout" } });
    server.close();
  });

  test("rejects when its signal aborts, at once and under way", async () => {
    using silent = await stub(() => []);
    const question = { server: silent.at, name: Z, type: "A" };
    await expect(query(question, AbortSignal.abort())).rejects.toThrow(/abort/);
    const end = new AbortController();
    const answer = query(question, end.signal);
    end.abort();
    await expect(answer).rejects.toThrow(/abort/);
  });

  test("a question that cannot be asked is an error before anything is sent", async () => {
    const at = { host: ip("127.0.0.1"), port: 9 };
    for (const fields of [{ name: "a..b" }, { type: "NONSENSE" }, { type: "TYPE65536" }, { name: "x".repeat(64) }]) {
      expect(await ask(at, fields)).toMatchObject({ ok: false, error: { kind: "bad-question" } });
    }
  });
});

describe("encodeQuery()", () => {
  test("asks without recursion, with EDNS, under a random id", () => {
    const ids = new Set<number>();
    for (let i = 0; i < 50; i++) {
      const octets = encodeQuery({ name: Z, type: "TYPE28" });
      if (!octets.ok) throw new Error(octets.error);
      ids.add(((octets.value[0] ?? 0) << 8) | (octets.value[1] ?? 0));
      const answer = bed.send(octets.value);
      expect(answer).toMatchObject({ rcode: "NOERROR", edns: true, flags: FLAG.QR | FLAG.AA });
    }
    expect(ids.size).toBeGreaterThan(45);
  });
});
