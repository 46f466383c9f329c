import { describe, expect, test } from "vitest";
import { differences } from "./differential.ts";

/** The long form is `node test/dns-differential/main.ts`. */
const SHORT = { seed: 20_261_123, services: 300, queries: 10_000 };

describe("every reply is the one that an oracle made from the specifications expects", () => {
  test.each(["ffi", "dgram"] as const)("%s", async (mode) => {
    const { wrong, rcodes, cut, positive, queries } = await differences({ ...SHORT, mode });
    expect(wrong).toEqual([]);
    expect(queries).toBeGreaterThan(9000);
    // The queries find something of everything.
    expect(positive).toBeGreaterThan(2000);
    expect(cut).toBeGreaterThan(10);
    expect(Object.keys(rcodes).sort()).toEqual(["NOERROR", "NXDOMAIN", "REFUSED"]);
  });
});
