import { describe, expect, test } from "vitest";
import type { Ip } from "#values";
import { conditionsOf, type ExportState } from "./conditions.ts";
import { exampleExport } from "./example-export.ts";
import { mergeExports } from "./merge-exports.ts";

const READY: ExportState = {
  service: "valid",
  published: true,
  address: "242.192.0.1" as Ip,
  endpoints: 1,
  leftOut: 0,
};
const MERGED = mergeExports([exampleExport("east")]);
const HEADLESS = mergeExports([exampleExport("east", { type: "Headless" })]);
const CONFLICTING = mergeExports([
  exampleExport("east"),
  exampleExport("west", { type: "Headless", ports: [], createdAt: 5000 }),
]);
const short = (...args: Parameters<typeof conditionsOf>) =>
  conditionsOf(...args).map(({ type, status, reason }) => `${type}=${status} ${reason}`);

describe("conditionsOf()", () => {
  test("says Valid, Exported and NoConflicts of an export that works", () => {
    expect(short(MERGED, READY)).toEqual(["Valid=True Valid", "Ready=True Exported", "Conflict=False NoConflicts"]);
  });

  test("says NoService of an export without a Service", () => {
    expect(short(null, { ...READY, service: "missing", published: false })).toEqual([
      "Valid=False NoService",
      "Ready=False Failed",
      "Conflict=False NoConflicts",
    ]);
  });

  test("says InvalidServiceType of an ExternalName Service", () => {
    expect(short(null, { ...READY, service: "external-name" })[0]).toBe("Valid=False InvalidServiceType");
  });

  test("is Unknown and Pending until the broker has the record", () => {
    expect(short(null, { ...READY, published: false })[1]).toBe("Ready=Unknown Pending");
  });

  test("is Pending without a service address", () => {
    expect(short(MERGED, { ...READY, address: null })[1]).toBe("Ready=False Pending");
  });

  test("needs no service address for a headless service", () => {
    expect(short(HEADLESS, { ...READY, address: null })[1]).toBe("Ready=True Exported");
  });

  test("is Failed when all endpoints had to be left out", () => {
    expect(short(MERGED, { ...READY, endpoints: 0, leftOut: 3 })[1]).toBe("Ready=False Failed");
  });

  test("is Exported without endpoints, for a Service may have none at the moment", () => {
    expect(short(MERGED, { ...READY, endpoints: 0 })[1]).toBe("Ready=True Exported");
  });

  test("is Exported when only some endpoints were left out", () => {
    expect(short(MERGED, { ...READY, endpoints: 1, leftOut: 1 })[1]).toBe("Ready=True Exported");
  });

  test("joins several conflict reasons by commas without spaces, as the schema's pattern wants it", () => {
    const [, , conflict] = conditionsOf(CONFLICTING, READY);
    expect(conflict).toMatchObject({ status: "True", reason: "PortConflict,TypeConflict" });
    expect(conflict?.reason).toMatch(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/);
    expect(conflict?.message).toContain('Conflicting type. Using "ClusterSetIP" from oldest service export in "east".');
  });

  test("raises no conflict on an export that is not valid", () => {
    expect(short(CONFLICTING, { ...READY, service: "missing" })[2]).toBe("Conflict=False NoConflicts");
  });
});
