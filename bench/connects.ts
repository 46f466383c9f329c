import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Job, mustExec, type Place, spawnIn, waitForLine } from "#lab";
import type { ConnectAsk, Connects } from "./blocking-connect.ts";

const CLIENT = fileURLToPath(new URL("./blocking-connect.ts", import.meta.url));
const SERVER = fileURLToPath(new URL("./accept-server.ts", import.meta.url));

/** startAccepting listens on some ports of a place, on CPU 0. */
export async function startAccepting(place: Place, name: string, ports: readonly number[]): Promise<Job> {
  const job = await spawnIn(place, name, ["taskset", "-c", "0", process.execPath, SERVER, ...ports.map(String)]);
  await waitForLine(job, (line) => line === "ready");
  return job;
}

/** timeConnects makes connections from a place, on CPU 1, and throws if one of them fails. */
export async function timeConnects(place: Place, ask: ConnectAsk): Promise<Connects> {
  const file = join(place.run.folder, "etc", `${place.name}.connects.json`);
  await writeFile(file, JSON.stringify(ask));
  const argv = ["taskset", "-c", "1", process.execPath, CLIENT, file];
  const connects = JSON.parse(await mustExec(place, argv, { timeoutMs: 60_000 })) as Connects;
  if (connects.failed > 0) throw new Error(`${connects.failed} of ${ask.count} connections from ${place.name} failed`);
  return connects;
}
