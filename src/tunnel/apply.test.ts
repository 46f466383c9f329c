import { describe, expect, test } from "vitest";
import { ok, type TunnelKey } from "#values";
import { applySteps, resultOf } from "./apply.ts";
import { FakeKernel } from "./fake-kernel.ts";
import type { Step } from "./step.ts";

const OWN = Buffer.alloc(32, 1).toString("base64") as TunnelKey;
const create = (index: number): Step => ({ kind: "create", index, listenPort: 51820 + index });
const line = (text: string): Step => ({ kind: "ip", line: text });

describe("applySteps()", () => {
  test("gives neighbouring lines of ip to one process, and keeps the order around them", async () => {
    const kernel = new FakeKernel(OWN);
    const seen: string[] = [];
    kernel.batch = async (lines) => {
      seen.push(lines.join("; "));
      return [];
    };
    kernel.setSysctl = async (name) => {
      seen.push(name);
      return ok(null);
    };
    await applySteps([line("a"), line("b"), { kind: "sysctl", name: "c", value: "1" }, line("d")], kernel);
    expect(seen).toEqual(["a; b", "c", "d"]);
  });

  test("starts neighbouring interfaces side by side", async () => {
    const kernel = new FakeKernel(OWN);
    let [under, most] = [0, 0];
    kernel.create = async () => {
      most = Math.max(most, ++under);
      await Promise.resolve();
      under--;
      return ok(null);
    };
    await applySteps([create(0), create(1), create(2)], kernel);
    expect(most).toBe(3);
  });

  test("goes on after a fault, and names the interfaces that could not be made", async () => {
    const kernel = new FakeKernel(OWN);
    kernel.takenPorts.add(51820);
    const steps = [create(0), create(1), line("link set dev mrd0 up"), line("link set dev mrd1 up")];
    const done = await applySteps(steps, kernel);
    expect(done.failed).toEqual(new Map([[0, "port 51820 is taken"]]));
    expect(kernel.state().interfaces.get(1)?.up).toBe(true);
    expect(resultOf(steps, done)).toEqual({
      ok: false,
      error: "port 51820 is taken; ip link set dev mrd0 up: Cannot find device",
    });
  });
});

test("resultOf() counts the steps when nothing failed", () => {
  expect(resultOf([create(0)], { faults: [], failed: new Map() })).toEqual(ok(1));
});
