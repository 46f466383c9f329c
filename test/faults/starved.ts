import { setTimeout as pause } from "node:timers/promises";
import type { Daemon } from "../cli/testbed-daemons.ts";
import { MemoryLimit } from "./memory-limit.ts";
import type { Scene } from "./scene.ts";

/** What a process may take beyond what it has. */
const MORE_BYTES = 2 << 20;
/** Services that the load makes at most; a limit that bites does so long before. */
const MOST = 600;

/** starved loads the clusterset until the kernel has ended a process whose memory is bounded (F9), and throws where it
 *  never does. `also` is done with every service that is exported. */
export async function starved(scene: Scene, daemon: Daemon, also: () => Promise<unknown>): Promise<void> {
  using limit = new MemoryLimit(MORE_BYTES);
  limit.take(daemon.child.pid ?? 0);
  let made = 0;
  for (; made < MOST && daemon.child.signalCode === null; made += 1) {
    const side = scene.sides[made % scene.sides.length];
    if (side !== undefined) scene.export(side, `${side.cluster}-spent-${side.exports.size}`);
    await also();
    await pause(5); // the load is a stream, not one burst that is over before it is noticed
  }
  const { signalCode } = daemon.child;
  if (signalCode === null) daemon.child.kill("SIGKILL");
  await daemon.exited;
  if (signalCode === null) throw new Error(`${MOST} services fit into ${MORE_BYTES} bytes`);
}
