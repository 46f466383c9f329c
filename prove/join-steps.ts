import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { LoopbackBroker } from "./loopback-broker.ts";
import { LoopbackGateway } from "./loopback-gateway.ts";

/** JoinStep is a join that was killed at one step of one side: a system call, counted from the start of the process. */
export interface JoinStep {
  readonly side: "gateway" | "broker";
  readonly call: string;
  /** Of a broker: of those after its start. */
  readonly n: number;
}

/** Every file operation by which a join becomes durable, and the connections it makes. */
export const JOIN_STEPS: readonly JoinStep[] = [
  ...steps("gateway", "rename", [1, 2]),
  ...steps("gateway", "fsync", [1, 2, 3, 4, 5]),
  ...steps("gateway", "unlink", [1]),
  ...steps("gateway", "connect", [1, 2]),
  ...steps("broker", "fdatasync", [1, 2]),
  ...steps("broker", "pwrite64", [1, 2, 3, 4, 6, 8]),
];

/** Stepped is what was found. A member has two prefixes, of its pods and its nodes; whoever is none has null. */
export interface Stepped {
  /** Whether it was killed at that step; otherwise there is no such step. */
  readonly killed: boolean;
  readonly afterKill: number | null;
  readonly atEnd: number | null;
}

function steps(side: JoinStep["side"], call: string, numbers: readonly number[]): readonly JoinStep[] {
  return numbers.map((n) => ({ side, call, n }));
}

/** One thread for file operations: strace counts the calls of each thread by itself. */
const ONE_THREAD = ["env", "UV_THREADPOOL_SIZE=1"] as const;

function killAt(call: string, n: number): readonly string[] {
  return [
    ...ONE_THREAD,
    "strace",
    "-f",
    "-qq",
    "-o",
    "/dev/null",
    "-e",
    `trace=${call}`,
    "-e",
    `inject=${call}:signal=SIGKILL:when=${n}`,
  ];
}

/** stepJoin has a cluster join, kills one side at a step, and has it come to its end with the same token. */
export function stepJoin(folder: string, broker: LoopbackBroker, cluster: string, step: JoinStep): Promise<Stepped> {
  return step.side === "gateway"
    ? stepOfGateway(folder, broker, cluster, step)
    : stepOfBroker(folder, broker, cluster, step);
}

async function stepOfGateway(
  folder: string,
  broker: LoopbackBroker,
  cluster: string,
  step: JoinStep,
): Promise<Stepped> {
  const gateway = await LoopbackGateway.invited(folder, broker, cluster);
  const killed = !(await serves(gateway.redeem(killAt(step.call, step.n))));
  await gateway.end("SIGKILL");
  const afterKill = await prefixesOf(broker, cluster);
  await gateway.redeem();
  const atEnd = await prefixesOf(broker, cluster);
  await gateway.end("SIGTERM");
  return { killed, afterKill, atEnd };
}

async function stepOfBroker(folder: string, broker: LoopbackBroker, cluster: string, step: JoinStep): Promise<Stepped> {
  const gateway = await LoopbackGateway.invited(folder, broker, cluster);
  await broker.end("SIGTERM");
  const started = await callsOfStart(folder, broker, step.call);
  await broker.serve(killAt(step.call, started + step.n));
  const joining = serves(gateway.redeem());
  await broker.gone();
  await broker.serve();
  const afterKill = await prefixesOf(broker, cluster);
  if (!(await joining)) await gateway.redeem();
  const atEnd = await prefixesOf(broker, cluster);
  await gateway.end("SIGTERM");
  return { killed: true, afterKill, atEnd };
}

const serves = (start: Promise<void>): Promise<boolean> =>
  start.then(
    () => true,
    () => false,
  );

/** How often a start of the broker uses a call, in the thread that does it most: strace counts from the first one on. */
async function callsOfStart(folder: string, broker: LoopbackBroker, call: string): Promise<number> {
  const log = join(folder, "calls");
  await broker.serve([...ONE_THREAD, "strace", "-f", "-qq", "-o", log, "-e", `trace=${call}`]);
  await broker.end("SIGKILL");
  const threads = new Map<string, number>();
  for (const [, thread = ""] of readFileSync(log, "utf8").matchAll(new RegExp(`^(\\d+) +${call}\\(`, "gm"))) {
    threads.set(thread, (threads.get(thread) ?? 0) + 1);
  }
  return Math.max(0, ...threads.values());
}

async function prefixesOf(broker: LoopbackBroker, cluster: string): Promise<number | null> {
  const { items } = (await broker.ask("GET", "/v1/clusters?limit=1000")) as {
    items: readonly { readonly id: string; readonly prefixes: readonly unknown[] }[];
  };
  return items.find(({ id }) => id === cluster)?.prefixes.length ?? null;
}

/** stepFault says what is wrong with the outcome of a step; undefined where it joined once or not at all. */
export function stepFault({ side, call, n }: JoinStep, { killed, afterKill, atEnd }: Stepped): string | undefined {
  const where = `${side}, ${call} ${n}`;
  if (!killed) return `${where}: a join has no such step`;
  if (afterKill !== null && afterKill !== 2) return `${where}: half a member after the crash, ${afterKill} prefixes`;
  return atEnd === 2 ? undefined : `${where}: ${atEnd ?? "no"} prefixes at the end`;
}
