import { describe, expect, test } from "vitest";
import { Troubles } from "#life";
import { backend, wantedImport } from "./example-import.ts";
import { type HeldImport, heldImport } from "./held.ts";
import { importObject } from "./import-object.ts";
import { importStatus } from "./import-status.ts";
import { part } from "./projection.ts";
import { tellAsked } from "./tell-asked.ts";

const ASK = "meridian.io/clusterset-ip";
const { imported } = wantedImport([backend("242.1.0.5")]);

function held(annotations: Readonly<Record<string, string>> | undefined): HeldImport {
  const metadata = { namespace: "shop", name: "web", uid: "u", resourceVersion: "1", annotations };
  const found = heldImport({ metadata, spec: { type: "ClusterSetIP", ips: [] } });
  if (found === undefined) throw new Error("an import cannot be read");
  return found;
}

describe("an import", () => {
  test("names its derived Service where it has one", () => {
    const named = (hasService: boolean) => importObject(imported, [], hasService).metadata.annotations;
    expect(named(true)).toEqual({ "multicluster.kubernetes.io/derived-service": "derived-isrlchlhrq" });
    expect(named(false)).toEqual({});
  });

  test("has other annotations from its exporters, and never what its own cluster's users ask", () => {
    const annotations = { [ASK]: "global", note: "x" };
    expect(importObject({ ...imported, annotations }, [], false).metadata.annotations).toEqual({ note: "x" });
  });

  test.each([
    ["derived", { [ASK]: "derived" }, "derived"],
    ["anything", { [ASK]: "" }, ""],
    ["nothing", { other: "x" }, null],
    ["nothing at all", undefined, null],
  ])("is asked for %s", (_, annotations, asked) => {
    expect(held(annotations).asked).toBe(asked);
  });

  test("that waits for its address is not ready", () => {
    const status = (pending: boolean) => {
      const ask = { held: held({}), now: 0, pending, tellsSlices: true };
      return part(importStatus(wantedImport([]), ask), "status")["conditions"];
    };
    expect(status(true)).toMatchObject([{ type: "Ready", status: "False", reason: "Pending" }]);
    expect(status(false)).toMatchObject([{ type: "Ready", status: "True", reason: "Ready" }]);
  });
});

describe("tellAsked()", () => {
  const told = (...asked: readonly (string | null)[]) => {
    const troubles = new Troubles();
    for (const one of asked) tellAsked(troubles, { key: "shop/web", asked: one, otherwise: "derived" });
    return troubles.list().map(({ code, subject, detail }) => [code, subject, detail]);
  };

  test.each(["service", "Global", ""])("what says nothing that is known is a trouble of its import: %j", (asked) => {
    const detail = `${ASK} must be derived or global: ${JSON.stringify(asked)}; the cluster's setting counts: derived`;
    expect(told(asked)).toEqual([["clusterset-ip-unknown", "shop/web", detail]]);
  });

  test.each(["derived", "global", null])("which ends with %j", (asked) => {
    expect(told("service", asked)).toEqual([]);
  });
});
