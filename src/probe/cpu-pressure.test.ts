import { expect, test } from "vitest";
import { CpuPressure } from "./cpu-pressure.ts";

const text = (totalMs: number): string =>
  `some avg10=1.00 avg60=1.00 avg300=0.28 total=${totalMs * 1000}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n`;

test("strained() is so when somebody waited for a core for over half of the time since the last look", () => {
  let [now, waited] = [0, 5000];
  const pressure = new CpuPressure(
    () => now,
    () => text(waited),
  );
  const look = (ms: number, waitedMs: number): boolean => {
    now += ms;
    waited += waitedMs;
    return pressure.strained();
  };
  expect([look(500, 100), look(500, 400), look(500, 250), look(1000, 501)]).toEqual([false, true, false, true]);
});

test("a kernel that does not tell is never strained", () => {
  let now = 0;
  const pressure = new CpuPressure(
    () => now,
    () => "",
  );
  now = 500;
  expect(pressure.strained()).toBe(false);
});
