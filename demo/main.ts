import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { enterUserNamespace, findNodeTools, findRights, requirePrograms, sweep } from "#lab";
import { systemClock } from "#life";
import { kubeClusters } from "./kube-clusters.ts";
import { type Perform, show } from "./show.ts";
import { createTeller } from "./teller.ts";
import { threeClusters } from "./three-clusters.ts";

const HELP = `demo: three clusters with equal addresses talk by name, in about a minute.

  make demo           tells the story, checks every step, leaves nothing behind
  make demo KEEP=1    leaves everything up and prints commands to try (--keep)
  make demo DOWN=1    removes what was left up (--down)
  make demo-kube      the same with two real Kubernetes clusters, in about two minutes (--kube); KEEP=1 as above
`;

/** main gives the exit code: 0 told and true, 1 a check failed or something is missing, 2 a wrong call. */
async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === undefined || options.help) {
    process.stderr.write(HELP);
    return options === undefined ? 2 : 0;
  }
  if (options.down) return takeAllDown();
  const programs = await requirePrograms((line) => process.stderr.write(`${line}\n`));
  if (!programs.ok) return complain(programs.error);
  if (options.kube) return tellKube(options.keep);
  const rights = await findRights();
  if (!rights.ok) return complain(rights.error);
  if (rights.value === "user-namespace") {
    return enterUserNamespace(fileURLToPath(import.meta.url), [...args, "--inside"]);
  }
  const { keep, inside } = options;
  return tell(keep, (run, teller) => threeClusters(run, teller, { keep, userNamespace: inside }));
}

/** Kubernetes takes root and what is built from its Go modules. */
async function tellKube(keep: boolean): Promise<number> {
  const tools = await findNodeTools();
  if (!tools.ok) return complain(tools.error);
  if (process.getuid?.() !== 0) return complain("nodes that run pods need root: run it as root");
  return tell(keep, (run, teller) => kubeClusters(run, teller, { keep, tools: tools.value }));
}

/** The first signal takes everything down and then ends this process by the same signal, as a shell expects; a second
 *  one ends it at once, and the next demo sweeps what is left. */
async function tell(keep: boolean, perform: Perform): Promise<number> {
  const teller = createTeller(process.stdout);
  const start = systemClock.monotonic();
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  const code = await show(teller, { keep, signal: stop.signal }, perform);
  if (stop.signal.aborted) process.kill(process.pid, "SIGINT"); // the handler is gone: this ends us as it should
  const seconds = ((systemClock.monotonic() - start) / 1000).toFixed(0);
  if (code === 0) process.stdout.write(`\nAll of it held, in ${seconds} s.\n`);
  return code;
}

/** takeAllDown removes what `--keep` left up, also that of other checkouts; demos that are running stay. */
async function takeAllDown(): Promise<number> {
  const removed = await sweep({ kept: true });
  process.stdout.write(`removed ${removed.length} demo${removed.length === 1 ? "" : "s"}\n`);
  return 0;
}

interface Options {
  readonly keep: boolean;
  readonly down: boolean;
  readonly help: boolean;
  /** Two real Kubernetes clusters. */
  readonly kube: boolean;
  /** Set by ourselves when we run again as root of a user namespace. */
  readonly inside: boolean;
}

/** readOptions is undefined for a call that is not understood. */
function readOptions(args: readonly string[]): Options | undefined {
  const flag = { type: "boolean", default: false } as const;
  try {
    const options = { keep: flag, down: flag, kube: flag, inside: flag, help: { ...flag, short: "h" } };
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch {
    return undefined;
  }
}

/** complain is for what is wrong with the machine: one line, and what to do about it. */
function complain(reason: string): number {
  process.stderr.write(`demo: ${reason}\n`);
  return 1;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
