import { cp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createRun,
  type Footprint,
  footprint,
  joinScene,
  leftovers,
  type Run,
  raiseScene,
  sweep,
  sweepRun,
} from "#lab";
import { aborted, systemClock } from "#life";
import { keepUp } from "./keep.ts";
import { tellStory } from "./story.ts";
import type { Teller } from "./teller.ts";

export interface ShowOptions {
  /** Leave everything up at the end, and say what to try. */
  readonly keep: boolean;
  /** Whether this process is root only in a user namespace. */
  readonly userNamespace: boolean;
  /** Aborting takes everything down at once. */
  readonly signal: AbortSignal;
}

/** Time that a story which was stopped gets to notice, before its last processes are looked for. */
const NOTICE_MS = 1000;

/** show builds the clusters, tells the story and takes everything down, also when the story fails or is stopped.
 *  Gives the exit code; a failure says which check, and where the logs are. */
export async function show(teller: Teller, options: ShowOptions): Promise<number> {
  await sweep();
  const run = await createRun();
  const before = await footprint(run);
  const story = perform(run, teller, options);
  try {
    await Promise.race([story, aborted(options.signal)]);
    if (options.signal.aborted) return await breakOff(run, story);
    if (!options.keep) await takeDown(run, teller, before);
    return 0;
  } catch (reason) {
    const logs = join(tmpdir(), `meridian-demo-logs-${run.id}`);
    await cp(join(run.folder, "log"), logs, { recursive: true }).catch(() => {}); // what failed matters more
    await sweepRun(run);
    teller.failed(`${teller.current}\n${reason instanceof Error ? reason.message : String(reason)}\nlogs: ${logs}`);
    return 1;
  }
}

/** perform builds and tells; it ends early when the run is swept under it. */
async function perform(run: Run, teller: Teller, { keep, userNamespace }: ShowOptions): Promise<void> {
  teller.chapter("Three clusters with the same addresses");
  teller.say(
    "amber, birch and cedar: namespaces with a node (cedar: three), pods with real servers, a kube-proxy and a CNI each",
  );
  const scene = await raiseScene(run, { cedarNodes: 3 });
  const set = await joinScene(scene, (line) => teller.say(line));
  teller.proved("a broker and three gateways are ready");
  await tellStory(set, teller);
  if (!keep) return;
  teller.chapter("Everything stays up. To try");
  for (const command of await keepUp(set, userNamespace)) teller.say(command);
  teller.say("and to remove it: make demo DOWN=1");
}

/** breakOff sweeps twice: the story may have been starting something while the first sweep was under way. */
async function breakOff(run: Run, story: Promise<void>): Promise<number> {
  await sweepRun(run);
  await Promise.race([story.catch(() => {}), systemClock.sleep(NOTICE_MS)]);
  await sweepRun(run);
  return 130;
}

/** takeDown removes the run, and throws if anything of it is left on the machine. */
async function takeDown(run: Run, teller: Teller, before: Footprint): Promise<void> {
  teller.chapter("Nothing is left behind");
  const during = await footprint(run);
  await sweepRun(run);
  const left = await leftovers(run, before, during);
  if (left.length > 0) throw new Error(`left behind: ${left.join(", ")}`);
  teller.proved(`${during.processes.length} processes and ${during.hold.networks.size} namespaces are gone`);
}
