import { describe, expect, test } from "vitest";
import type { TunnelKey } from "#values";
import { applySteps } from "./apply.ts";
import { FakeKernel } from "./fake-kernel.ts";
import { plan } from "./plan.ts";
import { steer } from "./steer.ts";
import { type Gateway, ip, planOf } from "./testbed-plan.ts";
import type { TunnelPlan } from "./tunnel-plan.ts";

const OWN = Buffer.alloc(32).toString("base64") as TunnelKey;

function gateway(member: number, index: number): Gateway {
  const n = member * 10 + index;
  const publicKey = n === 10 ? OWN : (Buffer.alloc(32, n).toString("base64") as TunnelKey);
  return { member, index, ip: ip(`172.31.77.${n}`), publicKey };
}

const A = gateway(1, 0);
const ALL = [A, gateway(2, 0), gateway(2, 1), gateway(3, 0)];

/** with a sibling beside A, which answers or not. */
function besides(up: boolean, isUp: (peer: Gateway) => boolean): TunnelPlan {
  const want = planOf(A, [...ALL, gateway(1, 1)], isUp);
  return { ...want, siblings: want.siblings.map((sibling) => ({ ...sibling, up })) };
}

/** steered carries the lines out on a kernel that has `before`, and gives what a full plan still finds to do. */
async function steered(before: TunnelPlan, after: TunnelPlan): Promise<readonly unknown[]> {
  const kernel = new FakeKernel(OWN);
  await applySteps(plan(kernel.state(), before), kernel);
  expect(await kernel.batch(steer(before, after))).toEqual([]);
  return plan(kernel.state(), after);
}

describe("steer()", () => {
  test("takes a way that went down out of its member's group, and touches no other member", () => {
    const before = planOf(A, ALL);
    const lines = steer(
      before,
      planOf(A, ALL, ({ member, index }) => member !== 2 || index === 1),
    );
    expect(lines).toEqual([
      expect.stringMatching(/^nexthop replace id \d+ group 1308491778\/1308491779 type resilient/),
    ]);
  });

  test("leaves nothing to a full plan", async () => {
    const lost = (peer: Gateway): boolean => !(peer.member === 2 && peer.index === 0);
    expect(await steered(planOf(A, ALL), planOf(A, ALL, lost))).toEqual([]);
  });

  test("says nothing of a way that came back: that is not urgent", () => {
    const before = planOf(A, ALL, ({ index }) => index === 1);
    expect(steer(before, planOf(A, ALL))).toEqual([]);
  });

  test("without a sibling that answers, the last way stays", () => {
    const down = (): boolean => false;
    expect(steer(planOf(A, ALL), planOf(A, ALL, down))).toEqual([]);
    expect(
      steer(
        besides(false, () => true),
        besides(false, down),
      ),
    ).toEqual([]);
  });

  test("with one, the routes below the tunnels take over; what is left to a full plan carries nothing", async () => {
    const before = besides(true, () => true);
    const after = besides(true, ({ member }) => member !== 2);
    const lines = steer(before, after);
    expect(lines).toEqual([
      expect.stringMatching(/^route del 242.2.0.0\/16 nhid \d+ src 172.31.77.10 proto 77$/),
      expect.stringMatching(/^route del 242.0.2.0\/24 nhid \d+ src 172.31.77.10 proto 77$/),
    ]);
    expect(await steered(before, after)).toEqual([{ kind: "ip", line: expect.stringMatching(/^nexthop del id \d+$/) }]);
  });
});
