import { existsSync } from "node:fs";
import { runCommand } from "#life";
import { listCgroups } from "./cgroups.ts";
import { type Hold, holdNetworks } from "./hold.ts";
import { processesOf } from "./processes.ts";
import type { Run } from "./run.ts";

/** Footprint is what a run has on the machine at a moment. */
export interface Footprint {
  readonly processes: readonly number[];
  /** Network namespaces of its processes, held until somebody has looked for leftovers. */
  readonly hold: Hold;
  /** Links in the caller's own namespace whose names the laboratory or the program gives. */
  readonly links: readonly string[];
  /** Folders of its cgroups. */
  readonly cgroups: readonly string[];
}

/** A link of the laboratory never is in the caller's namespace; one that is got there by a mistake. */
const OUR_LINKS = /^\d+: ((?:mrd|cni|br|veth|n|wg)\d+)[@:]/;

/** footprint looks at the machine, not at what is remembered. */
export async function footprint(run: Run): Promise<Footprint> {
  const processes = await processesOf(run.folder);
  const [links, cgroups] = [await ourLinks(), await listCgroups(run)];
  return { processes, hold: await holdNetworks(processes), links, cgroups };
}

/** leftovers lists what a run has left behind: `before` was seen before it began, `during` while it was up. */
export async function leftovers(run: Run, before: Footprint, during: Footprint): Promise<readonly string[]> {
  const processes = await processesOf(run.folder, during.hold.networks);
  await during.hold.release();
  const links = await ourLinks();
  return [
    ...processes.map((pid) => `process ${pid}`),
    ...links.filter((link) => !before.links.includes(link)).map((link) => `link ${link}`),
    ...during.cgroups.filter((folder) => existsSync(folder)).map((folder) => `cgroup ${folder}`),
    ...(existsSync(run.folder) ? [`folder ${run.folder}`] : []),
  ];
}

async function ourLinks(): Promise<readonly string[]> {
  const links = await runCommand(["ip", "-o", "link"]);
  return (links.ok ? links.value : "").split("\n").flatMap((line) => OUR_LINKS.exec(line)?.[1] ?? []);
}
