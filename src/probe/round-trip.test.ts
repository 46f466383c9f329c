import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pathMs, RoundTrip } from "./round-trip.ts";

describe("RoundTrip", () => {
  test("knows nothing before the first echo, and waits a second for it", () => {
    const trip = new RoundTrip();
    expect([trip.meanMs, trip.jitterMs, trip.waitMs()]).toEqual([null, null, 1000]);
  });

  test("add() takes the first round trip as the mean", () => {
    const trip = new RoundTrip();
    trip.add(40);
    expect(trip.meanMs).toBe(40);
    expect(trip.jitterMs).toBe(0);
    expect(trip.waitMs()).toBe(40 + 4 * 20);
  });

  test("add() moves the mean by an eighth (RFC 6298) and the jitter by a sixteenth (RFC 3550)", () => {
    const trip = new RoundTrip();
    trip.add(40);
    trip.add(48);
    expect(trip.meanMs).toBe(41);
    expect(trip.jitterMs).toBe(0.5);
  });

  test("waitMs() is never under 20 ms nor over a second, and leaves 16 ms to a steady path", () => {
    const [near, far, steady] = [new RoundTrip(), new RoundTrip(), new RoundTrip()];
    for (let i = 0; i < 200; i += 1) {
      near.add(0.5);
      far.add(5000);
      steady.add(80);
    }
    expect(near.waitMs()).toBe(20);
    expect(far.waitMs()).toBe(1000);
    expect(steady.waitMs()).toBeCloseTo(96, 3);
  });

  test("mean and jitter stay within what was seen", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 900, noNaN: true }), { minLength: 1 }), (values) => {
        const trip = new RoundTrip();
        for (const value of values) trip.add(value);
        expect(trip.meanMs).toBeGreaterThanOrEqual(Math.min(...values) - 1e-9);
        expect(trip.meanMs).toBeLessThanOrEqual(Math.max(...values) + 1e-9);
        expect(trip.jitterMs).toBeLessThanOrEqual(Math.max(...values) - Math.min(...values) + 1e-9);
      }),
    );
  });
});

describe("pathMs()", () => {
  test.each([
    ["takes the responder's time out", 100, 110, 4e6, 6],
    ["does not believe a responder that held the probe longer than it was away", 100, 110, 11e6, 10],
    ["never gives less than nothing", 100, 99.9, 0, 0],
  ])("%s", (_, sentAt, arrivedAt, heldNanos, ms) => {
    expect(pathMs(sentAt, arrivedAt, heldNanos)).toBeCloseTo(ms, 9);
  });
});
