import { describe, expect, test } from "vitest";
import { millis } from "#values";
import { SerialClock } from "./serial-clock.ts";

/** A clock that is set by hand, in seconds. */
function clockAt(second: number) {
  const clock = { second, now: () => millis(clock.second * 1000) };
  return clock;
}

describe("SerialClock", () => {
  test("is the time of the last change", () => {
    const clock = clockAt(1000);
    const serial = new SerialClock(clock);
    serial.advance();
    clock.second = 1500;
    expect(serial.value).toBe(1000);
    serial.advance();
    expect(serial.value).toBe(1500);
  });

  test("grows by one a second at least, when the clock goes back", () => {
    const clock = clockAt(1000);
    const serial = new SerialClock(clock);
    const shown = [1000, 1000, 900, 901, 901, 902, 1001, 1010].map((second) => {
      clock.second = second;
      serial.advance();
      return serial.value;
    });
    expect(shown).toEqual([1000, 1000, 1001, 1002, 1002, 1003, 1004, 1010]);
  });

  test("a serial is reserved before it is shown, and seldom", () => {
    const clock = clockAt(1000);
    const reserved: number[] = [];
    const serial = new SerialClock(clock, { floor: 0, reserve: (upTo) => reserved.push(upTo) });
    for (let second = 1000; second < 4000; second++) {
      clock.second = second;
      serial.advance();
      expect(serial.value).toBeLessThanOrEqual(reserved.at(-1) ?? 0);
    }
    expect(reserved.length).toBeLessThanOrEqual(5);
  });

  test("begins above everything that may have been shown before, whatever the clock says", () => {
    let floor = 0;
    let last = 0;
    for (const start of [5000, 100, 5003, 4, 90_000]) {
      const clock = clockAt(start);
      const serial = new SerialClock(clock, { floor, reserve: (upTo) => (floor = upTo) });
      for (let i = 0; i < 3; i++) {
        clock.second++;
        serial.advance();
        expect(serial.value).toBeGreaterThan(last);
        last = serial.value;
      }
    }
    expect(last).toBe(90_003);
  });
});
