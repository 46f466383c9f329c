import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { FannedOut, FanOutAsk } from "./fan-out-members.ts";
import type { LoopbackBroker } from "./loopback-broker.ts";

const MEMBERS = fileURLToPath(new URL("./fan-out-members.ts", import.meta.url));
const SAMPLE_MS = 1000;

export interface FanOut extends FannedOut {
  /** Resident memory of the broker, in MiB, a sample a second while the members were at it. */
  readonly rssMiB: readonly number[];
  /** Seconds of CPU that the broker used. */
  readonly cpuSeconds: number;
}

/** fanOutOf has members publish and hear each other through a broker, in a process of their own. */
export async function fanOutOf(
  broker: LoopbackBroker,
  folder: string,
  load: Pick<FanOutAsk, "members" | "perSecond" | "seconds">,
  signal?: AbortSignal,
): Promise<FanOut> {
  const [tokenFile, askFile] = [join(folder, "token"), join(folder, "ask.json")];
  writeFileSync(tokenFile, await broker.invite(load.members), { mode: 0o600 });
  const ask: FanOutAsk = { url: broker.url, caFile: join(broker.data, "ca.crt"), tokenFile, ...load };
  writeFileSync(askFile, JSON.stringify(ask));
  const child = spawn(process.execPath, [MEMBERS, askFile], { stdio: ["ignore", "pipe", "inherit"], signal });
  let text = "";
  child.stdout.on("data", (data) => {
    text += String(data);
  });
  const ended = once(child, "close");
  const rssMiB: number[] = [];
  const over = ended.then(() => true);
  while (!(await Promise.race([over, sleep(SAMPLE_MS, false)]))) rssMiB.push(rssOf(broker.pid));
  const [code] = (await ended) as [number | null];
  if (code !== 0) throw new Error(`the members ended with ${code}`);
  return { ...(JSON.parse(text) as FannedOut), rssMiB, cpuSeconds: cpuOf(broker.pid) };
}

function rssOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
}

/** User and system time: fields 14 and 15, in hundredths of a second (proc(5)). */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** growthOf is by how much the mean of the last quarter lies above that of the one before, as a share: memory that is
 *  flat in the last half has none. */
export function growthOf(samples: readonly number[]): number {
  const quarter = Math.floor(samples.length / 4);
  const mean = (some: readonly number[]): number => some.reduce((sum, one) => sum + one, 0) / Math.max(1, some.length);
  const third = mean(samples.slice(-2 * quarter, -quarter));
  return third === 0 ? 0 : mean(samples.slice(-quarter)) / third - 1;
}
