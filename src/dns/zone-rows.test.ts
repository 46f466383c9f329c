import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "#life";
import { endpoint, headless, ip, pods, virtual } from "./example-services.ts";
import { live } from "./live.ts";
import { asked, message } from "./testbed.ts";
import { MODES, udpClient, type Wire, wire } from "./testbed-wire.ts";

const Z = "clusterset.local";
const WEB = `web.shop.svc.${Z}`;
const SERVICES = [virtual(), headless(pods(3, true))];
const SYNCED = { kind: "synced", synced: true } as const;
const TYPES = ["A", "AAAA", "TXT", "SRV", "NS", "SOA", "HTTPS", "SVCB", "MX", "TYPE666"];

describe.each(MODES)("the zone by %s", (mode) => {
  let bed: Wire;
  beforeAll(async () => {
    bed = await wire(mode, SERVICES);
  });
  afterAll(() => bed[Symbol.asyncDispose]());

  const between = [
    `svc.${Z}`,
    `shop.svc.${Z}`,
    `_tcp.${WEB}`,
    `a.db.shop.svc.${Z}`,
    `_tcp.db.shop.svc.${Z}`,
    `dns.${Z}`,
  ];
  test.each(between)("[5.4-Z1] %s exists without a record: NODATA with SOA for every type", async (name) => {
    for (const type of TYPES) {
      const got = await bed.ask(name, type);
      expect([type, got.rcode, got.answers.length, got.authorities.length]).toEqual([type, "NOERROR", 0, 1]);
      expect(got.authorities[0]).toMatch(/^clusterset\.local \d+ SOA /);
    }
  });

  test("[5.4-Z1] the apex is NODATA with SOA for what it has not", async () => {
    for (const type of ["A", "AAAA", "TXT", "HTTPS", "SRV", "DS"]) {
      const asType = type === "DS" ? 43 : type;
      expect(await bed.ask(Z, asType)).toMatchObject({
        rcode: "NOERROR",
        answers: [],
        authorities: [expect.stringContaining(" SOA ")],
      });
    }
  });

  test("[5.4-Z2] one name has one code, whatever the type", async () => {
    const names = [WEB, `gone.shop.svc.${Z}`, `x.${WEB}`, `shop.svc.${Z}`, `gone.svc.${Z}`, `p0.a.db.shop.svc.${Z}`];
    for (const name of names) {
      const codes = new Set<string>();
      for (const type of TYPES) codes.add((await bed.ask(name, type)).rcode);
      expect([name, codes.size]).toEqual([name, 1]);
    }
  });

  test("[5.4-Z4] one lifetime in a set, and the SOA's is no more than its MINIMUM", async () => {
    for (const [name, type] of [
      [`db.shop.svc.${Z}`, "A"],
      [`_http._tcp.db.shop.svc.${Z}`, "SRV"],
    ] as const) {
      const got = await bed.ask(name, type, { edns: {} });
      expect(new Set([...got.answers, ...got.additionals].map((line) => line.split(" ")[1])).size).toBe(1);
    }
    for (const ttl of [0, 5, 300, 3600]) {
      await using other = await wire(mode, [], { zone: { origin: Z, ttl, serverAddresses: [] } });
      const [soa = ""] = (await other.ask(`x.${Z}`, "A")).authorities;
      expect(Number(soa.split(" ")[1])).toBeLessThanOrEqual(Number(soa.split(" ").at(-1)));
    }
  });
});

describe.each(MODES)("the zone over time, by %s", (mode) => {
  const serialOf = async (at: Wire): Promise<number> => Number((await at.ask(Z, "SOA")).answers[0]?.split(" ")[5]);

  test("[5.4-Z3] the serial never goes back, over changes and a restart", async () => {
    const serials: number[] = [];
    const first = await wire(mode, SERVICES);
    for (let i = 0; i < 5; i++) {
      serials.push(await serialOf(first));
      first.responder.update([{ kind: "service", service: virtual({ name: `s${i}` }) }]);
      await first.responder.applied();
    }
    await first[Symbol.asyncDispose]();
    await using second = await wire(mode, SERVICES);
    serials.push(await serialOf(second));
    expect(serials).toEqual(serials.toSorted((a, b) => a - b));
    expect(serials[0]).toBeGreaterThan(1_600_000_000);
  });

  test("[5.4-Z5] 10,000 queries under churn: never two states in one reply, never an error", async () => {
    const state = (n: number) =>
      headless([...Array(8).keys()].map((i) => endpoint(`p${i}`, "a", [`10.0.${n % 250}.${i}`])));
    await using bed = await wire(mode, [state(0)]);
    let over = false;
    const churn = (async () => {
      for (let n = 1; !over; n++) {
        bed.responder.update([{ kind: "service", service: state(n) }]);
        await bed.responder.applied();
      }
    })();
    const client = await udpClient(bed.at);
    const query = message(`db.shop.svc.${Z}`, "A");
    const seen = new Set<string>();
    for (let sent = 0; sent < 10_000; sent += 50) {
      const replies = (await client.all(Array.from({ length: 50 }, () => query))).map(asked);
      expect(replies).toHaveLength(50);
      for (const { rcode, answers } of replies) {
        const states = new Set(answers.map((line) => line.split(".").at(-2) ?? ""));
        expect([rcode, answers.length, states.size]).toEqual(["NOERROR", 8, 1]);
        for (const one of states) seen.add(one);
      }
    }
    over = true;
    await churn;
    expect(seen.size).toBeGreaterThan(20);
    client.close();
  });

  test("[5.4-Z6] before the first sync what is known is answered, the rest SERVFAIL with EDE 14", async () => {
    await using bed = await live({ mode });
    bed.responder.update([{ kind: "service", service: virtual() }]);
    await bed.responder.applied();
    const client = await udpClient(bed.at);
    const ask = async (name: string) =>
      asked((await client.all([message(name, "A", { edns: {} })]))[0] ?? new Uint8Array());
    expect((await ask(WEB)).answers).toHaveLength(1);
    expect(await ask(`gone.shop.svc.${Z}`)).toMatchObject({ rcode: "SERVFAIL", extendedError: 14 });
    bed.responder.update([SYNCED]);
    await bed.responder.applied();
    expect((await ask(`gone.shop.svc.${Z}`)).rcode).toBe("NXDOMAIN");
    client.close();
  });

  test("[5.4-Z7] while nothing is heard from any source, all answers stay as they were", async () => {
    // The responder holds what it was told and asks nobody: hours are no other than seconds, unless its clock matters.
    let now = 1_700_000_000_000;
    const clock = { ...systemClock, now: () => now as ReturnType<typeof systemClock.now> };
    await using bed = await wire(mode, [virtual({ addresses: [ip("10.0.0.1")] })], { clock });
    const both = async () => [(await bed.ask(WEB, "A")).octets, (await bed.ask(`gone.${Z}`, "A")).octets];
    const before = await both();
    now += 6 * 3600 * 1000;
    expect(await both()).toEqual(before);
  });
});
