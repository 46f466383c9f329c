import { existsSync } from "node:fs";
import { readdir, readlink } from "node:fs/promises";
import { runCommand } from "#life";
import { processesOf } from "./processes.ts";
import type { Run } from "./run.ts";

/** Footprint is what a run has on the machine at a moment. */
export interface Footprint {
  readonly processes: readonly number[];
  /** Network namespaces of its processes, as /proc names them. */
  readonly networks: ReadonlySet<string>;
  /** Links in the caller's own namespace whose names the laboratory or the program gives. */
  readonly links: readonly string[];
  readonly folder: boolean;
}

/** A link of the laboratory never is in the caller's namespace; one that is got there by a mistake. */
const OUR_LINKS = /^\d+: ((?:mrd|cni|br|veth|n|wg)\d+)[@:]/;

/** footprint looks at the machine, not at what is remembered. */
export async function footprint(run: Run): Promise<Footprint> {
  const processes = await processesOf(run.folder);
  const networks = await Promise.all(processes.map(networkOf));
  const links = await runCommand(["ip", "-o", "link"]);
  return {
    processes,
    networks: new Set(networks.filter((network) => network !== undefined)),
    links: (links.ok ? links.value : "").split("\n").flatMap((line) => OUR_LINKS.exec(line)?.[1] ?? []),
    folder: existsSync(run.folder),
  };
}

/** leftovers lists what a run has left behind: `before` was seen before it began, `during` while it was up. */
export async function leftovers(run: Run, before: Footprint, during: Footprint): Promise<readonly string[]> {
  const after = await footprint(run);
  const held = await heldNetworks();
  return [
    ...after.processes.map((pid) => `process ${pid}`),
    ...[...during.networks].filter((network) => held.has(network)).map((network) => `namespace ${network}`),
    ...after.links.filter((link) => !before.links.includes(link)).map((link) => `link ${link}`),
    ...(after.folder ? [`folder ${run.folder}`] : []),
  ];
}

/** heldNetworks is every network namespace that some process is in. */
async function heldNetworks(): Promise<ReadonlySet<string>> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const networks = await Promise.all(pids.map(networkOf));
  return new Set(networks.filter((network) => network !== undefined));
}

/** undefined for a process that has ended, or may not be looked at. */
async function networkOf(pid: number): Promise<string | undefined> {
  return readlink(`/proc/${pid}/ns/net`).catch(() => undefined);
}
