import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Gate } from "./gate.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** herd has so many come at once, and counts who is in. */
function herd(gate: Gate, count: number): { readonly in: () => number; readonly order: readonly number[] } {
  const order: number[] = [];
  for (let at = 0; at < count; at += 1) {
    const wait = gate.enter();
    if (wait === undefined) order.push(at);
    else void wait.then(() => order.push(at));
  }
  return { in: () => order.length, order };
}

describe("Gate", () => {
  test("lets a few in at once, and of a herd a hundred a second, in the order in which they came", async () => {
    const all = herd(new Gate(), 500);
    expect(all.in()).toBe(25);
    await vi.advanceTimersByTimeAsync(1000);
    expect(all.in()).toBe(125);
    await vi.advanceTimersByTimeAsync(3750);
    expect(all.order).toEqual(Array.from({ length: 500 }, (_, at) => at));
  });

  test("keeps nobody waiting once the herd is through, and leaves no timer behind", async () => {
    const gate = new Gate();
    herd(gate, 100);
    await vi.advanceTimersByTimeAsync(5000);
    expect(vi.getTimerCount()).toBe(0);
    expect(herd(gate, 25).in()).toBe(25);
  });
});
