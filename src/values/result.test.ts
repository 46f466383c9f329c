import { expect, test } from "vitest";
import { err, ok, type Result, expect as right, unreachable } from "./result.ts";

test("ok() and err() are told apart by a field, so a forgotten check does not compile", () => {
  const answer: Result<number> = ok(7);
  expect(answer.ok ? answer.value : answer.error).toBe(7);
  expect(err("no")).toEqual({ ok: false, error: "no" });
});

test("expect() gives the value, or throws what could only be a bug of ours", () => {
  expect(right(ok(7))).toBe(7);
  expect(() => right(err("not a CIDR"))).toThrow("not a CIDR");
});

test("unreachable() shows the case that was forgotten", () => {
  expect(() => unreachable({ kind: "new" } as never)).toThrow('unreachable: {"kind":"new"}');
});
