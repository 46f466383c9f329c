import { describe, expect, test } from "vitest";
import { GATEWAY_LABEL } from "../well-known.ts";
import type { KubeObject } from "./deploy-files.ts";
import { chooseGateways } from "./gateway-nodes.ts";

interface NodeSpec {
  readonly labels?: Readonly<Record<string, string>>;
  readonly ready?: string;
  readonly cordoned?: boolean;
}

function node(name: string, { labels = {}, ready = "True", cordoned = false }: NodeSpec = {}): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels },
    spec: cordoned ? { unschedulable: true } : {},
    status: { conditions: [{ type: "Ready", status: ready }] },
  };
}

const CONTROL = { "node-role.kubernetes.io/control-plane": "" };

describe("chooseGateways()", () => {
  test("takes those that are asked for", () => {
    expect(chooseGateways([node("a"), node("b"), node("c")], ["c"])).toEqual({ ok: true, value: ["c"] });
  });

  test("refuses a node that is not there, and says which are", () => {
    const refused = chooseGateways([node("a"), node("b")], ["z"]);
    expect(refused).toEqual({ ok: false, error: "there is no node z: the cluster has a, b" });
  });

  test("keeps those that have the label", () => {
    const labelled = node("b", { labels: { [GATEWAY_LABEL]: "true" }, ready: "False" });
    expect(chooseGateways([node("a"), labelled], [])).toEqual({ ok: true, value: ["b"] });
  });

  test("else takes two workers by name, that are ready and take pods", () => {
    const nodes = [
      node("d"),
      node("a", { labels: CONTROL }),
      node("c", { cordoned: true }),
      node("b", { ready: "Unknown" }),
      node("f"),
      node("e"),
    ];
    expect(chooseGateways(nodes, [])).toEqual({ ok: true, value: ["d", "e"] });
  });

  test("a node of the control plane is better than none", () => {
    expect(chooseGateways([node("a", { labels: CONTROL }), node("b")], [])).toEqual({ ok: true, value: ["b", "a"] });
  });

  test("says what to do where no node is able", () => {
    expect(chooseGateways([node("a", { ready: "False" })], [])).toMatchObject({
      ok: false,
      error: expect.stringContaining("--gateway-node"),
    });
  });
});
