import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { millis, parseDuration } from "./units.ts";

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

describe("parseDuration()", () => {
  test.each([
    ["0", 0],
    ["0s", 0],
    ["500ms", 500],
    ["15m", 900_000],
    ["24h", 86_400_000],
    ["1.5h", 5_400_000],
    ["0.25s", 250],
    ["30d", 2_592_000_000],
  ])("%s is %d ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    "",
    "1",
    "s",
    "-1s",
    "+1s",
    "1 s",
    "1S",
    "1sec",
    "1h30m",
    "1e3s",
    ".5s",
    "1.s",
    "1,5s",
    "1.0001s",
    "9999999999s",
    "1s\n",
    "Infinitys",
    "0x1s",
  ])("refuses %j", (text) => expect(parseDuration(text)).toBeUndefined());

  test("whole numbers of any unit are exact", () => {
    fc.assert(
      fc.property(fc.nat(999_999_999), fc.constantFrom("ms", "s", "m", "h", "d"), (count, unit) => {
        expect(parseDuration(`${count}${unit}`)).toBe(millis(count * UNITS[unit as keyof typeof UNITS]));
      }),
    );
  });
});
