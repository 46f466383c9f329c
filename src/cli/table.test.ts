import { describe, expect, test } from "vitest";
import { age, ms, table } from "./table.ts";

describe("table()", () => {
  test("makes columns as wide as their widest cell, without blanks at the ends", () => {
    expect(table(["A", "LONG"], [["wide cell", "x"], ["y"]])).toBe("A          LONG\nwide cell  x\ny\n");
  });

  test("without rows is its head", () => {
    expect(table(["A", "B"], [])).toBe("A  B\n");
  });

  test("lets no cell break its line or reach the terminal", () => {
    expect(table(["A"], [["x\u001b[31m\ny"]])).toBe("A\nx\\x1b[31m\\ny\n");
  });
});

test.each([
  [null, "-"],
  [0, "0s"],
  [59.4, "59s"],
  [192, "3m12s"],
  [7500, "2h5m"],
  [4 * 86_400 + 5, "4d"],
])("age(%s) is %s", (seconds, text) => {
  expect(age(seconds)).toBe(text);
});

test.each([
  [null, "-"],
  [0.000_123_4, "0.123 ms"],
  [1.5, "1500.000 ms"],
])("ms(%s) is %s", (seconds, text) => {
  expect(ms(seconds)).toBe(text);
});
