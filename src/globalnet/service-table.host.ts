import { afterAll, beforeAll, expect, test } from "vitest";
import type { ServiceEntry } from "./service-entry.ts";
import { HostLab } from "./testbed-lab.ts";
import { type Member, twoMembers } from "./testbed-members.ts";
import { exampleEntry, exampleServices } from "./testbed-plan.ts";
import { ADDRESS_SERVER, CONNECTS, SOURCES, UDP_MOVES } from "./testbed-scripts.ts";

const lab = new HostLab(`gt${process.pid}`);
const ENDPOINTS = ["10.244.0.21", "10.244.0.22", "10.244.0.23", "10.244.0.24"] as const;
const SOURCE_ADDRESSES = Array.from({ length: 150 }, (_, i) => `10.244.0.${100 + i}`);
let member: Member;
let client: string;

/** entry is 242.192.0.1:80 with weights of the first endpoints. */
function entry(
  weights: readonly number[],
  affinity: ServiceEntry["affinity"] = "none",
  protocol = "TCP",
): ServiceEntry {
  const endpoints = weights.map((weight, i) => `${ENDPOINTS[i]}:8081*${weight}`);
  return exampleEntry(`242.192.0.1 ${protocol} 80`, endpoints, affinity);
}

async function set(...entries: readonly ServiceEntry[]): Promise<void> {
  const done = await member.globalnet.reconcile({ plan: member.plan, services: exampleServices(...entries) });
  if (!done.ok) throw new Error(done.error.stderr);
}

async function connects(n: number): Promise<Record<string, number>> {
  const { counts } = JSON.parse(await lab.run(client, CONNECTS, "242.192.0.1", "80", String(n)));
  return counts as Record<string, number>;
}

/** choices is the endpoint of each source address. */
async function choices(): Promise<readonly string[]> {
  return JSON.parse(await lab.run(client, SOURCES, "242.192.0.1", "80", ...SOURCE_ADDRESSES)) as string[];
}

beforeAll(async () => {
  [member] = await twoMembers(lab);
  const [server] = member.pods;
  client = member.pods[1];
  await lab.ip(
    server,
    ENDPOINTS.map((address) => `addr add ${address}/24 dev eth0`),
  );
  await lab.ip(
    client,
    SOURCE_ADDRESSES.map((address) => `addr add ${address}/24 dev eth0`),
  );
  await lab.serve(server, ADDRESS_SERVER, ...ENDPOINTS);
});

afterAll(() => lab[Symbol.asyncDispose]());

test("each endpoint's share of 10,000 connections is within 2 % of its weight", async () => {
  const weights = [50, 30, 18, 2];
  await set(entry(weights));
  const counts = await connects(10_000);
  ENDPOINTS.forEach((endpoint, i) => {
    expect(Math.abs((counts[endpoint] ?? 0) / 10_000 - (weights[i] ?? 0) / 100), endpoint).toBeLessThan(0.02);
  });
});

test("equal endpoints share alike", async () => {
  await set(entry([1, 1, 1]));
  const counts = await connects(3000);
  for (const endpoint of ENDPOINTS.slice(0, 3))
    expect(Math.abs((counts[endpoint] ?? 0) / 3000 - 1 / 3)).toBeLessThan(0.04);
});

test("no connection is refused while a service changes its class, or its endpoints within one", async () => {
  await set(entry([1, 1, 1]));
  const running = connects(8000);
  let over = false;
  const ended = running.then(() => {
    over = true;
  });
  const swapped = exampleEntry("242.192.0.1 TCP 80", [`${ENDPOINTS[2]}:8081`, `${ENDPOINTS[3]}:8081`]);
  const shapes = [
    entry([1, 1]),
    swapped,
    entry([1, 1]),
    swapped,
    entry([1, 2, 3]),
    entry([1]),
    entry([98, 1, 1]),
    entry([1, 1, 1]),
  ];
  let changes = 0;
  while (!over) {
    const shape = shapes[changes % shapes.length];
    if (shape !== undefined) await set(shape);
    changes += 1;
  }
  await ended;
  const refused = Object.entries(await running).filter(([answer]) => !answer.startsWith("10."));
  expect(refused).toEqual([]);
  expect(changes).toBeGreaterThan(5);
});

test("affinity: a client stays while its endpoint does, whatever comes, goes or restarts", async () => {
  await set(entry([1, 1, 1], "client"));
  const first = await choices();
  expect(new Set(first).size).toBe(3);
  expect(await choices()).toEqual(first);
  await set(entry([1, 1], "client"));
  const fewer = await choices();
  first.forEach((endpoint, i) => {
    if (endpoint !== ENDPOINTS[2]) expect(fewer[i]).toBe(endpoint);
  });
  member.globalnet.forget();
  await set(entry([1, 1], "client"));
  expect(await choices()).toEqual(fewer);
  await set(entry([50, 50, 1], "client")); // 1,024 buckets instead of 128
  const finer = await choices();
  expect(finer.filter((endpoint, i) => endpoint !== fewer[i] && endpoint !== ENDPOINTS[2])).toEqual([]);
});

test("a UDP client that goes on sending leaves a removed endpoint", async () => {
  await set(entry([1], "none", "UDP"));
  const moved = lab.run(client, UDP_MOVES, "242.192.0.1", "80");
  const udp = exampleEntry("242.192.0.1 UDP 80", [`${ENDPOINTS[1]}:8081`]);
  await lab.tracked(member.node, "242.192.0.1");
  await set(udp);
  expect(await moved).toBe(`${ENDPOINTS[0]}\n${ENDPOINTS[1]}`);
});
