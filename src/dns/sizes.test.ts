import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { headless, pods, virtual } from "./example-services.ts";
import { message, nameOf } from "./testbed.ts";
import { MODES, type Wire, wire } from "./testbed-wire.ts";

const Z = "clusterset.local";
const WEB = `web.shop.svc.${Z}`;
const DB = `db.shop.svc.${Z}`;
const SERVICES = [
  virtual(),
  headless(pods(40)),
  headless(pods(7), { name: "seven" }),
  headless(pods(200), { name: "many" }),
  headless(pods(5000, true), { name: "big" }),
];

describe.each(MODES)("what does not fit, by %s", (mode) => {
  let bed: Wire;
  beforeAll(async () => {
    bed = await wire(mode, SERVICES);
  });
  afterAll(() => bed[Symbol.asyncDispose]());

  test.each([0, 100, 511])("[5.4-M16] a UDP size of %i is 512", async (size) => {
    const { bytes, truncated } = await bed.ask(DB, "A", { edns: { size } });
    expect(truncated).toBe(true);
    expect(bytes).toBeGreaterThan(480);
    expect(bytes).toBeLessThanOrEqual(512);
  });

  test("[5.4-M17] a UDP size of 65,535 is 1232", async () => {
    const { bytes, truncated } = await bed.ask(`many.shop.svc.${Z}`, "A", { edns: { size: 65_535 } });
    expect(truncated).toBe(true);
    expect(bytes).toBeGreaterThan(1200);
    expect(bytes).toBeLessThanOrEqual(1232);
  });

  test("[5.4-M34] without EDNS at most 512 octets of whole records and TC; everything by TCP", async () => {
    const cut = await bed.ask(DB, "A");
    expect(cut).toMatchObject({ truncated: true, rcode: "NOERROR" });
    expect(cut.bytes).toBeLessThanOrEqual(512);
    expect(cut.bytes).toBe(12 + nameOf(DB).length + 4 + 16 * cut.answers.length);
    const whole = await bed.ask(DB, "A", { tcp: true });
    expect(whole.truncated).toBe(false);
    expect(whole.answers).toHaveLength(40);
  });

  test("[5.4-M34] SRV is cut between records too", async () => {
    const cut = await bed.ask(`_http._tcp.${DB}`, "SRV");
    expect(cut).toMatchObject({ truncated: true, additionals: [] });
    expect(cut.answers.length).toBeGreaterThan(3);
    expect(cut.bytes).toBeLessThanOrEqual(512);
  });

  test("[5.4-M35] glue that does not fit is left out, and that is no truncation", async () => {
    const name = `_http._tcp.seven.shop.svc.${Z}`;
    const got = await bed.ask(name, "SRV");
    expect(got).toMatchObject({ truncated: false, additionals: [] });
    expect(got.answers).toHaveLength(7);
    expect((await bed.ask(name, "SRV", { edns: {} })).additionals).toHaveLength(7);
  });

  test("[5.4-M36] F51: 5,000 endpoints by TCP are a stable subset that fits, without TC, the same for A and AAAA", async () => {
    const ask = (type: string) => bed.ask(`big.shop.svc.${Z}`, type, { tcp: true, edns: {} });
    for (const type of ["A", "SRV"]) {
      const got = await ask(type);
      expect(got).toMatchObject({ truncated: false, rcode: "NOERROR" });
      expect((await ask(type)).answers.toSorted()).toEqual(got.answers.toSorted());
    }
    const v4 = (await ask("A")).answers.map((line) => line.split(" ")[3] ?? "");
    const v6 = (await ask("AAAA")).answers.map((line) => line.split(" ")[3] ?? "");
    const numbers4 = v4.map((ip) => Number(ip.split(".")[2]) * 256 + Number(ip.split(".")[3]));
    const numbers6 = v6.map((ip) => Number.parseInt(ip.split(":").at(-1) ?? "", 16) - 1);
    expect(numbers4.length).toBeGreaterThan(2000);
    const order = (a: number, b: number): number => a - b;
    expect(numbers4.toSorted(order)).toEqual(numbers6.toSorted(order));
  });

  test("F51: a cut answer begins at each endpoint about equally often", async () => {
    const firsts = new Map<string, number>();
    for (let i = 0; i < 800; i++) {
      const [first = ""] = (await bed.ask(DB, "A")).answers;
      firsts.set(first, (firsts.get(first) ?? 0) + 1);
    }
    // 20 are expected of each; 800 draws among 40 leave [3, 50] once in a billion.
    expect(firsts.size).toBe(40);
    expect(Math.min(...firsts.values())).toBeGreaterThan(2);
    expect(Math.max(...firsts.values())).toBeLessThan(51);
  });

  test("[5.4-A1] no UDP reply is large, ANY is small, errors are no larger than the query and an OPT", async () => {
    for (let type = 1; type <= 260; type++) {
      for (const name of [Z, WEB, `many.shop.svc.${Z}`, "example.com"]) {
        const query = message(name, type, { edns: { size: 65_535 } });
        const { bytes, rcode } = await bed.send(query);
        expect(bytes).toBeLessThanOrEqual(1232);
        if (rcode === "REFUSED") expect(bytes).toBeLessThanOrEqual(query.length + 6);
      }
    }
    for (const name of [WEB, `many.shop.svc.${Z}`, Z]) {
      expect((await bed.ask(name, "ANY")).bytes).toBeLessThanOrEqual(2 * message(name, "ANY").length);
    }
  });
});
