import { release } from "node:os";
import { expect, test } from "vitest";
import { expect as good } from "#values";
import { loadLibc } from "./libc.ts";
import { askShortSlices, SCHED_ATTR } from "./short-slices.ts";

const [major = 0, minor = 0] = release().split(".").map(Number);
const knowsSlices = major > 6 || (major === 6 && minor >= 12);

test.skipIf(!knowsSlices)("askShortSlices() shortens the thread's slice and leaves its niceness", async () => {
  const libc = good(await loadLibc());
  const read = (): { readonly slice: bigint; readonly nice: number; readonly policy: number } => {
    const attributes = new Uint8Array(SCHED_ATTR.bytes);
    const view = new DataView(attributes.buffer);
    expect(libc.getScheduling(0, attributes)).toBe(0);
    const [nice, policy] = [view.getInt32(SCHED_ATTR.nice, true), view.getUint32(SCHED_ATTR.policy, true)];
    return { slice: view.getBigUint64(SCHED_ATTR.slice, true), nice, policy };
  };
  const before = read();
  askShortSlices(libc);
  expect(read()).toEqual({ ...before, slice: 100_000n });
});
