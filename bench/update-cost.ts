import { createPlace, type Place, type Run } from "#lab";
import { describeFault, runCommand } from "#life";
import { type BenchAsk, type Benchmark, type Outcome, type Row, ratioRow } from "./benchmark.ts";
import { enter, globalnetIn, PLAN, serviceEntries } from "./globalnet-in.ts";
import { inRun } from "./in-run.ts";
import { interleave, type Pairs } from "./pairs.ts";
import { appendIfMissing, resetChain } from "./per-object-rules.ts";
import { millis } from "./units.ts";
import { cpuSecondsOf } from "./usage.ts";

const OBJECTS = 10_000;
/** Changes in one run of ours: one alone is shorter than a clock tick of CPU time. */
const CHANGES = 10;
/** Objects that both build from nothing; per-object rules need minutes for a thousand. */
const FEW = 200;
const POD = { address: "242.2.1.10", port: 8080 };

/** updateCost: P8. What it costs to change one object, and to build all of them. */
export const updateCost: Benchmark = {
  name: "p8",
  title: "P8 cost of an update: one transaction of elements against one rule per object",
  run: (ask) => inRun((run) => measure(run, ask), ask.signal),
};

/** Cost is what one operation took. */
interface Cost {
  readonly ms: number;
  readonly cpuMs: number;
}

async function measure(run: Run, ask: BenchAsk): Promise<Outcome> {
  const [ours, rules, plain] = [await make(run, "ours"), await make(run, "rules"), await make(run, "plain")];
  const pairs = ask.quick ? 1 : 5;
  const objects = ask.quick ? 1000 : OBJECTS;
  ask.say(`one change among ${objects}`);
  const change = await compareChange(ours, rules, { objects, pairs }, ask);
  ask.say(`building ${objects} from nothing`);
  const build = await compareBuild(ours, plain, { objects, pairs }, ask);
  ask.say(`building ${FEW} from nothing, by both ways`);
  const few = await compareFew(ours, rules, ask);
  const wall = ({ kept }: Pairs<Cost>) => kept.map(({ a, b }) => ({ a: a.ms, b: b.ms }));
  const cpu = ({ kept }: Pairs<Cost>) => kept.map(({ a, b }) => ({ a: a.cpuMs, b: b.cpuMs }));
  const count = objects.toLocaleString("en");
  const rows: readonly Row[] = [
    ratioRow(`one change among ${count}`, wall(change), millis, { most: 1 / 50 }),
    ratioRow("the same, CPU time", cpu(change), millis),
    ratioRow(`build of ${count}, B: one nft -f of the same`, wall(build), millis, { most: 1.2 }),
    ratioRow(`build of ${FEW}`, wall(few), millis),
  ];
  return {
    compared:
      "A: the service table by our room, B: list the chain, compare, append a rule per object (as Submariner does)",
    rows,
    notes: [
      "our times include nsenter, which the daemon does without; those of B too",
      "building by list and append grows with the square: 1,000 objects took 76 to 81 s where it was replayed before",
    ],
  };
}

const make = (run: Run, name: string): Promise<Place> => createPlace(run, `p8-${name}`, "127.0.0.1");

interface Size {
  readonly objects: number;
  readonly pairs: number;
}

async function compareChange(ours: Place, rules: Place, { objects, pairs }: Size, { signal }: BenchAsk) {
  const globalnet = globalnetIn(ours);
  const services = serviceEntries(objects, [POD]);
  await reconcile(globalnet, services);
  await resetChain(enter(rules), objects);
  let next = 0;
  const a = async (): Promise<Cost> => {
    const cost = await timed(async () => {
      for (let i = 0; i < CHANGES; i++, next++) {
        const [key, entry] = [...services][next] ?? [];
        if (key === undefined || entry === undefined) throw new Error("there is no such service");
        services.set(key, { ...entry, backends: entry.backends.map((backend) => ({ ...backend, port: 9000 })) });
        await reconcile(globalnet, services);
      }
    });
    return { ms: cost.ms / CHANGES, cpuMs: cost.cpuMs / CHANGES };
  };
  const b = (): Promise<Cost> => timed(() => appendIfMissing(enter(rules), objects + next++));
  return interleave({ a, b, pairs, signal });
}

async function compareBuild(ours: Place, plain: Place, { objects, pairs }: Size, { signal }: BenchAsk) {
  const services = serviceEntries(objects, [POD]);
  const globalnet = globalnetIn(ours);
  await globalnet.teardown();
  await reconcile(globalnet, services);
  const text = await nft(ours, ["list", "table", "ip", "meridian-services"]);
  const a = async (): Promise<Cost> => {
    await globalnet.teardown();
    return timed(() => reconcile(globalnet, services));
  };
  const b = async (): Promise<Cost> => {
    await nft(plain, ["flush", "ruleset"]);
    return timed(() => nft(plain, ["-f", "-"], text));
  };
  return interleave({ a, b, pairs, signal });
}

async function compareFew(ours: Place, rules: Place, { quick, signal }: BenchAsk) {
  const few = quick ? 10 : FEW;
  const globalnet = globalnetIn(ours);
  const a = async (): Promise<Cost> => {
    await globalnet.teardown();
    return timed(() => reconcile(globalnet, serviceEntries(few, [POD])));
  };
  const b = async (): Promise<Cost> => {
    await resetChain(enter(rules), 0);
    return timed(async () => {
      for (let i = 0; i < few; i++) await appendIfMissing(enter(rules), i);
    });
  };
  return interleave({ a, b, pairs: 1, warmUps: 0, signal });
}

async function reconcile(globalnet: ReturnType<typeof globalnetIn>, services: ReturnType<typeof serviceEntries>) {
  const done = await globalnet.reconcile({ plan: PLAN, services });
  if (!done.ok) throw new Error(describeFault(done.error));
}

async function nft(place: Place, args: readonly string[], stdin?: string): Promise<string> {
  const said = await runCommand([...enter(place), "nft", ...args], stdin === undefined ? {} : { stdin });
  if (!said.ok) throw new Error(describeFault(said.error));
  return said.value;
}

/** timed measures an operation by the clock, and by the CPU time of this process and the programs it ran. */
async function timed(work: () => Promise<unknown>): Promise<Cost> {
  const cpu = await cpuSecondsOf(process.pid);
  const start = performance.now();
  await work();
  const ms = performance.now() - start;
  return { ms, cpuMs: ((await cpuSecondsOf(process.pid)) - cpu) * 1000 };
}
