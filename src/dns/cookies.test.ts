import { describe, expect, test } from "vitest";
import { Asker, addressOf } from "./asker.ts";
import { CookieSecrets, cookieMemory } from "./cookie-secrets.ts";
import { COOKIE, COOKIE_BYTES, Cookies } from "./cookies.ts";
import type { OctetSink } from "./octet-sink.ts";
import { concat } from "./wire-name.ts";

const SECRET = "e5e973e5a6b2a43f48e7dc849e37bfcf";
const NOW = 1_559_731_985;

/** Sink collects what is written. */
class Sink implements OctetSink {
  octets: Uint8Array = new Uint8Array(0);
  copy(from: Uint8Array, at: number, length: number): void {
    this.octets = concat(this.octets, from.slice(at, at + length));
  }
  u16(value: number): void {
    this.octets = concat(this.octets, Uint8Array.of(value >>> 8, value));
  }
  u32(value: number): void {
    this.u16(value >>> 16);
    this.u16(value & 0xffff);
  }
}

/** try gives what a cookie proves and the cookie that goes back. */
function attempt(cookie: string, o: { ip?: string; now?: number; secret?: string; previous?: string } = {}) {
  const { ip = "198.51.100.100", now = NOW, secret = SECRET, previous } = o;
  const secrets = new CookieSecrets(cookieMemory());
  secrets.set(Uint8Array.fromHex(secret), previous === undefined ? undefined : Uint8Array.fromHex(previous));
  const cookies = new Cookies(secrets);
  const asker = new Asker();
  asker.setText(ip);
  const octets = Uint8Array.fromHex(`ffffff${cookie}`);
  const state = cookies.check(octets, 3, octets.length - 3, asker, now);
  const sink = new Sink();
  cookies.write(sink);
  expect(sink.octets.length).toBe(COOKIE_BYTES);
  expect(sink.octets.slice(0, 4)).toEqual(Uint8Array.of(0, 10, 0, 24));
  return { state, back: sink.octets.slice(4).toHex() };
}

describe("RFC 9018 appendix A", () => {
  test("A.1 a client that has never been here gets a cookie", () => {
    const got = attempt("2464c4abcf10c957");
    expect(got).toEqual({ state: COOKIE.fresh, back: "2464c4abcf10c957010000005cf79f111f8130c3eee29480" });
  });

  test("A.2 the same client comes 40 minutes later: its cookie is good, and renewed", () => {
    const got = attempt("2464c4abcf10c957010000005cf79f111f8130c3eee29480", { now: 1_559_734_385 });
    expect(got).toEqual({ state: COOKIE.valid, back: "2464c4abcf10c957010000005cf7a871d4a564a1442aca77" });
  });

  test("A.3 another client: reserved octets are hashed as they came, and are zero in ours", () => {
    const cookie = "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5";
    const got = attempt(cookie, { ip: "203.0.113.203", now: 1_559_734_700 });
    expect(got.back).toBe("fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e");
    expect(attempt(cookie, { ip: "203.0.113.203", now: 1_559_728_000 }).state).toBe(COOKIE.valid);
  });

  test("A.4 an IPv6 client whose cookie is of the secret before gets one of the new secret", () => {
    const got = attempt("22681ab97d52c298010000005cf7c57926556bd0934c72f8", {
      ip: "2001:db8:220:1:59de:d0f4:8769:82b8",
      now: 1_559_741_961,
      secret: "445536bcd2513298075a5d379663c962",
      previous: "dd3bdf9344b678b185a6f5cb60fca715",
    });
    expect(got).toEqual({ state: COOKIE.valid, back: "22681ab97d52c298010000005cf7c609a6bb79d16625507a" });
  });
});

describe("check()", () => {
  const good = attempt("2464c4abcf10c957").back;

  test("a good cookie goes back as it is while it is young", () => {
    expect(attempt(good, { now: NOW + 1800 })).toEqual({ state: COOKIE.valid, back: good });
    expect(attempt(good, { now: NOW + 1801 }).back).not.toBe(good);
  });

  const lies: readonly (readonly [why: string, cookie: string, o: Parameters<typeof attempt>[1]])[] = [
    ["an hour old", good, { now: NOW + 3601 }],
    ["from the future", good, { now: NOW - 301 }],
    ["another address's", good, { ip: "198.51.100.101" }],
    ["another family's", good, { ip: "2001:db8::1" }],
    ["another secret's", good, { secret: "0".repeat(32) }],
    ["another client cookie's", `3${good.slice(1)}`, {}],
    ["changed in its last bit", `${good.slice(0, -1)}1`, {}],
    ["changed in its first half", `${good.slice(0, 32)}00${good.slice(34)}`, {}],
    ["changed in its time", good.replace("5cf79f11", "5cf79f12"), {}],
    ["of another version", good.replace("0100", "0200"), {}],
    ["of 8 octets", good.slice(0, 32), {}],
    ["of 32 octets", `${good}${"00".repeat(16)}`, {}],
  ];
  test.each(lies)("a server cookie that is %s is bad, and a good one goes back", (_, cookie, o) => {
    const got = attempt(cookie, o);
    expect(got.state).toBe(COOKIE.bad);
    expect(attempt(got.back, o).state).toBe(COOKIE.valid);
  });

  test("an hour old and five minutes ahead is still believed", () => {
    expect(attempt(good, { now: NOW + 3600 }).state).toBe(COOKIE.valid);
    expect(attempt(good, { now: NOW - 300 }).state).toBe(COOKIE.valid);
  });

  test("time goes on beyond 2106, when 32 bits of seconds begin again", () => {
    const late = attempt("2464c4abcf10c957", { now: 2 ** 32 - 10 }).back;
    expect(attempt(late, { now: 2 ** 32 + 10 })).toEqual({ state: COOKIE.valid, back: late });
  });
});

describe("CookieSecrets", () => {
  test("rotate() believes the secret before, and not the one before that", () => {
    const memory = cookieMemory();
    const writer = new CookieSecrets(memory);
    const reader = new CookieSecrets(memory);
    const secret = (n: number): Uint8Array => new Uint8Array(16).fill(n);
    writer.set(secret(1));
    const now = (at: number): number => reader.octets[at] ?? 0;
    for (let n = 2; n < 9; n++) {
      writer.rotate(secret(n));
      expect([now(reader.current), now(reader.previous)]).toEqual([n, n - 1]);
    }
  });

  test("refuses a secret of another length", () => {
    expect(() => new CookieSecrets(cookieMemory()).rotate(new Uint8Array(15))).toThrow(
      "16 octets: current length is 15",
    );
  });
});

test("addressOf() reads what Node shows, without scopes; what is none is nobody", () => {
  expect(addressOf("192.0.2.1")).toEqual(Uint8Array.of(192, 0, 2, 1));
  expect(addressOf("fe80::1%eth0").toHex()).toBe(`fe80${"00".repeat(13)}01`);
  expect(addressOf("").length).toBe(0);
});
