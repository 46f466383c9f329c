import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "#life";
import { expect as must, parseIp } from "#values";
import { percentile } from "./percentile.ts";
import { type LabProber, ProbeLab, type Said } from "./testbed-lab.ts";

let lab: ProbeLab;

beforeEach(async () => {
  lab = new ProbeLab("host");
  await lab.open();
});

afterEach(() => lab.close());

/** Drops all probes that reach the right side, echoes and all: a blackhole. */
const DROP = "add table ip probe-test; add chain ip probe-test in { type filter hook prerouting priority -300; }";

async function drop(on: boolean): Promise<number> {
  const [family, table] = ["ip", "probe-test"];
  if (on) await lab.inside(lab.right, "nft", `${DROP}; add rule ip probe-test in udp dport 7946 drop`);
  else await lab.inside(lab.right, "nft", "delete", "table", family, table);
  return systemClock.now();
}

async function pair(mode: "ffi" | "dgram"): Promise<{ left: LabProber; right: LabProber }> {
  const [left, right] = await Promise.all([
    lab.prober(lab.left, lab.leftAddress, mode),
    lab.prober(lab.right, lab.rightAddress, mode),
  ]);
  const up = left.next("verdict");
  const address = must(parseIp(lab.rightAddress));
  left.order({ kind: "targets", targets: [{ id: "b/g", address, interface: mode === "ffi" ? lab.link : null }] });
  expect(await up).toMatchObject({ id: "b/g", up: true });
  return { left, right };
}

function timeOf({ at }: Said): number {
  return Number(at);
}

describe("across two namespaces", () => {
  test.each(["ffi", "dgram"] as const)("a blackhole is seen within 300 ms, its end too, by %s", async (mode) => {
    const { left } = await pair(mode);
    const spans = new Float64Array(5);
    for (let i = 0; i < spans.length; i += 1) {
      const down = left.next("verdict");
      const before = systemClock.now();
      const after = await drop(true); // the rule took hold somewhere between
      const verdict = await down;
      expect(verdict).toMatchObject({ up: false });
      expect(timeOf(verdict) - after).toBeLessThan(300);
      spans[i] = timeOf(verdict) - before;
      const up = left.next("verdict");
      await drop(false);
      expect(await up).toMatchObject({ up: true });
    }
    expect(percentile(spans, spans.length, 0.5)).toBeLessThan(250);
  });

  test("probes bound to an interface go on by themselves when it is made anew with another index", async () => {
    const { left } = await pair("ffi");
    const down = left.next("verdict");
    await lab.disconnect();
    expect(await down).toMatchObject({ up: false });
    await lab.inside(lab.left, "ip", "link", "add", "spare0", "type", "bridge"); // takes the freed index
    const up = left.next("verdict");
    await lab.connect();
    expect(await up).toMatchObject({ up: true });
  });

  test("an echo leaves by the interface its probe came in by, whatever the routes say", async () => {
    const { left, right } = await pair("ffi");
    // A route of the responder that would send the echoes astray.
    await lab.inside(lab.right, "ip", "link", "add", "astray0", "type", "bridge");
    await lab.inside(lab.right, "ip", "link", "set", "astray0", "up");
    await lab.inside(lab.right, "ip", "route", "add", `${lab.leftAddress}/32`, "dev", "astray0");
    const bench = left.next("bench");
    left.order({ kind: "bench", ids: ["b/g"], durationMs: 300, throughput: false });
    expect(await bench).toMatchObject({ result: { value: [{ lossRatio: 0 }] } });
    expect(right.child.exitCode).toBeNull();
  });

  test("junk that reaches the port is counted and harms nothing", async () => {
    const { left, right } = await pair("ffi");
    const flood =
      "const s=require('node:dgram').createSocket('udp4');let n=0;const go=()=>n++<500?s.send(Buffer.alloc(n%90),7946,process.argv[1],go):s.close();go()";
    await lab.inside(lab.left, process.execPath, "-e", flood, lab.rightAddress);
    const bench = left.next("bench");
    left.order({ kind: "bench", ids: ["b/g"], durationMs: 100, throughput: false });
    expect(await bench).toMatchObject({ result: { value: [{ lossRatio: 0 }] } });
    const junk = async (): Promise<unknown> => {
      const reports = right.next("reports");
      right.order({ kind: "reports" });
      return (await reports)["junk"];
    };
    await expect.poll(junk, { timeout: 3000 }).toBe(500);
  });
});
