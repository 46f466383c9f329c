import fc from "fast-check";
import { expect, test } from "vitest";
import { LossWindow } from "./loss-window.ts";

test("ratio() is 0 before anything was sent", () => {
  expect(new LossWindow().ratio(5000)).toBe(0);
});

test("ratio() is the share that was lost", () => {
  const window = new LossWindow();
  for (const at of [0, 100, 200]) window.good(at);
  window.lost(300);
  expect(window.ratio(400)).toBe(0.25);
});

test("ratio() forgets what was sent more than ten seconds ago", () => {
  const window = new LossWindow();
  window.lost(500);
  window.good(9000);
  expect(window.ratio(10_900)).toBe(0.5);
  expect(window.ratio(11_000)).toBe(0);
  expect(window.ratio(60_000)).toBe(0);
});

test("found() takes a loss back when the echo was only late", () => {
  const window = new LossWindow();
  window.lost(100);
  window.found(100);
  expect(window.ratio(200)).toBe(0);
});

test("found() of a loss that left the window changes nothing", () => {
  const window = new LossWindow();
  window.lost(100);
  window.lost(11_100); // the same slot, eleven seconds on
  window.found(100);
  expect(window.ratio(11_200)).toBe(1);
});

test("ratio() equals counting by hand over whole seconds", () => {
  const events = fc.array(fc.tuple(fc.nat(30_000), fc.boolean()), { maxLength: 200 });
  fc.assert(
    fc.property(events, (list) => {
      const window = new LossWindow();
      const inOrder = list.toSorted(([a], [b]) => a - b);
      for (const [at, lost] of inOrder) window[lost ? "lost" : "good"](at);
      const now = inOrder.at(-1)?.[0] ?? 0;
      const seen = inOrder.filter(([at]) => Math.floor(at / 1000) > Math.floor(now / 1000) - 11);
      const lost = seen.filter(([, gone]) => gone).length;
      expect(window.ratio(now)).toBeCloseTo(seen.length > 0 ? lost / seen.length : 0);
    }),
  );
});
