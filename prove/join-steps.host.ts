import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LoopbackBroker } from "./loopback-broker.ts";
import { LoopbackGateway } from "./loopback-gateway.ts";

/** A join that is killed at each of its steps, on either side: the cluster has joined once or not at all, and the same
 *  token takes it to the end. Needs strace. */

const killAt = (call: string, n: number): readonly string[] => [
  ...["strace", "-f", "-qq", "-o", "/dev/null", "-e", `trace=${call}`, "-e", `inject=${call}:signal=SIGKILL:when=${n}`],
];

let folder: string;
let broker: LoopbackBroker;
let clusters = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "meridian-steps-"));
  broker = await LoopbackBroker.open(folder);
});
afterAll(async () => {
  await broker.end("SIGKILL");
  rmSync(folder, { recursive: true });
});

/** What the broker has of a cluster: null where it is no member. */
async function prefixesOf(cluster: string): Promise<number | null> {
  const { items } = (await broker.ask("GET", "/v1/clusters?limit=1000")) as {
    items: readonly { readonly id: string; readonly prefixes: readonly unknown[] }[];
  };
  return items.find(({ id }) => id === cluster)?.prefixes.length ?? null;
}

describe("a gateway that is killed while it joins", () => {
  test.each([
    ["rename", 1],
    ["rename", 2],
    ["rename", 3],
    ["fsync", 1],
    ["fsync", 3],
    ["fsync", 5],
    ["unlink", 1],
    ["connect", 1],
    ["connect", 2],
  ])("at its %s number %i has joined once or not at all, and comes to the end with the same token", async (call, n) => {
    const cluster = `g${clusters++}`;
    const gateway = await LoopbackGateway.invited(folder, broker, cluster);
    const first = await gateway.redeem(killAt(call, n)).then(
      () => "served",
      () => "killed",
    );
    await gateway.end("SIGKILL");
    expect([null, 2]).toContain(await prefixesOf(cluster));
    await gateway.redeem();
    expect(await prefixesOf(cluster)).toBe(2);
    await gateway.end("SIGTERM");
    expect(first, "the step is one of a join").toBe("killed");
  });
});

describe("a broker that is killed while a gateway joins", () => {
  test.each([
    ["fsync", 1],
    ["fsync", 2],
    ["pwrite64", 1],
    ["pwrite64", 3],
    ["pwrite64", 6],
  ])(
    "at %s number %i of those after its start keeps what it said, and the join comes to its end",
    async (call, more) => {
      const cluster = `b${clusters++}`;
      const gateway = await LoopbackGateway.invited(folder, broker, cluster);
      await broker.end("SIGTERM");
      const started = await callsOfStart(call);
      await broker.serve(killAt(call, started + more));
      const joining = gateway.redeem().then(
        () => "served",
        () => "ended",
      );
      await broker.gone();
      await broker.serve();
      expect([null, 2]).toContain(await prefixesOf(cluster));
      if ((await joining) === "ended") await gateway.redeem();
      expect(await prefixesOf(cluster)).toBe(2);
      await gateway.end("SIGTERM");
    },
  );
});

/** How often a start of the broker uses a call: strace counts from the first one on. */
async function callsOfStart(call: string): Promise<number> {
  const log = join(folder, "calls");
  await broker.serve(["strace", "-f", "-qq", "-o", log, "-e", `trace=${call}`]);
  await broker.end("SIGKILL");
  return readFileSync(log, "utf8").split(`${call}(`).length - 1;
}
