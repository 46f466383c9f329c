import { fileURLToPath } from "node:url";
import { createPlace, ipBatch, mustExec, type Place, type Run } from "#lab";
import { Talker } from "./talker.ts";

const PROBER = fileURLToPath(new URL("../src/probe/testbed-process.ts", import.meta.url));
const PORT = 7946;

/** ProbePair is two hosts on one wire, with several addresses each. */
export interface ProbePair {
  readonly left: Place;
  readonly right: Place;
  /** The n-th address of each; from 0. */
  readonly leftAddress: (n: number) => string;
  readonly rightAddress: (n: number) => string;
}

/** raiseProbePair makes them. */
export async function raiseProbePair(run: Run, addresses: number): Promise<ProbePair> {
  const [left, right] = [await createPlace(run, "left", "127.0.0.1"), await createPlace(run, "right", "127.0.0.1")];
  const [leftAddress, rightAddress] = [(n: number) => `198.18.1.${n + 1}`, (n: number) => `198.18.2.${n + 1}`];
  await ipBatch(left, [`link add wire0 type veth peer name wire0 netns ${right.pid}`]);
  for (const [place, address] of [[left, leftAddress] as const, [right, rightAddress] as const]) {
    const own = Array.from({ length: addresses }, (_, n) => `addr add ${address(n)}/16 dev wire0`);
    await ipBatch(place, [...own, "link set wire0 up"]);
  }
  return { left, right, leftAddress, rightAddress };
}

/** startProber starts the program's prober in a process of its own. Each verdict is a line of JSON. */
export async function startProber(place: Place, address: string): Promise<Talker> {
  const talker = new Talker(place, [process.execPath, PROBER, JSON.stringify({ address, port: PORT })]);
  await talker.next((line) => line.includes('"started"'));
  return talker;
}

/** probe has a prober watch some addresses. */
export function probe(prober: Talker, addresses: readonly string[]): void {
  const targets = addresses.map((address) => ({ id: `peer/${address}`, address, interface: null }));
  prober.say(JSON.stringify({ kind: "targets", targets }));
}

/** isVerdict reports whether a line is a verdict of the prober. */
export function isVerdict(line: string, up: boolean): boolean {
  return line.includes('"verdict"') && line.includes(`"up":${up}`);
}

const CUT = "add table ip cut; add chain ip cut in { type filter hook input priority -500; policy drop; }";

/** cutWire drops all that reaches a place; it took hold between the two moments (performance.now()). */
export async function cutWire(place: Place): Promise<{ readonly before: number; readonly after: number }> {
  const before = performance.now();
  await mustExec(place, ["nft", CUT]);
  return { before, after: performance.now() };
}

export async function healWire(place: Place): Promise<void> {
  await mustExec(place, ["nft", "delete", "table", "ip", "cut"]);
}
