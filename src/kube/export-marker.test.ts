import { describe, expect, test } from "vitest";
import { markedExport } from "./export-marker.ts";

const service = (metadata: object): unknown => ({
  kind: "Service",
  metadata: { namespace: "shop", name: "web", ...metadata },
});
const global = (value: string, more: object = {}) =>
  service({ annotations: { "service.cilium.io/global": value, ...more } });
const exported = (value: string) => service({ labels: { "mirror.linkerd.io/exported": value } });

describe("markedExport()", () => {
  test.each<[string, unknown, boolean]>([
    ["Cilium's global", global("true"), true],
    ["Cilium's global, shared", global("true", { "service.cilium.io/shared": "true" }), true],
    ["Cilium's global, not shared", global("true", { "service.cilium.io/shared": "false" }), false],
    ["Cilium's global, false", global("false"), false],
    ["Linkerd's exported", exported("true"), true],
    ["Linkerd's exported by discovery", exported("remote-discovery"), true],
    ["Linkerd's exported, false", exported("false"), false],
    ["no mark", service({}), false],
  ])("%s", (_, object, isExported) => {
    expect(markedExport(object, ["cilium", "linkerd"]) !== null).toBe(isExported);
  });

  test("a mark that is not switched on is none", () => {
    expect(markedExport(global("true"), ["linkerd"])).toBeNull();
    expect(markedExport(exported("true"), [])).toBeNull();
  });

  test("is a ServiceExport of the Service's name and age", () => {
    const creationTimestamp = "2026-01-31T12:00:00Z";
    expect(
      markedExport(service({ creationTimestamp, annotations: { "service.cilium.io/global": "true" } }), ["cilium"]),
    ).toEqual({
      apiVersion: "multicluster.x-k8s.io/v1beta1",
      kind: "ServiceExport",
      metadata: { namespace: "shop", name: "web", creationTimestamp },
    });
  });
});
