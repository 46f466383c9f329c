import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { loadLive } from "#kube";
import { kubeClient, type UserObject } from "#lab";
import { stampMs } from "../bench/index.ts";

/** WriteAsk is a list of objects that a user writes to an API server: each group at once, one group after the other. */
export interface WriteAsk {
  readonly kubeconfig: string;
  readonly everyMs: number;
  readonly groups: readonly (readonly Write[])[];
}

export interface Write {
  readonly kind: "serviceExports" | "endpointSlices" | "services";
  readonly object: UserObject;
}

/** Written is one line of output per group. The stamp is stampMs from before it is sent. */
export interface Written {
  readonly name: string;
  readonly beforeMs: number;
}

// Runs where the API server is reached: `write-in-turn.ts ASK.json`.
if (import.meta.main) {
  const { kubeconfig, everyMs, groups } = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as WriteAsk;
  const { RESOURCES } = await loadLive();
  const user = await kubeClient(kubeconfig);
  for (const group of groups) {
    await sleep(everyMs);
    const written: Written = { name: group[0]?.object.metadata.name ?? "", beforeMs: stampMs() };
    for (const { kind, object } of group) await user.apply(RESOURCES[kind], object);
    process.stdout.write(`${JSON.stringify(written)}\n`);
  }
  process.stdout.write(`${JSON.stringify({ done: true })}\n`);
  process.exit(0); // connections to the API server are kept open
}
