import { systemClock } from "#life";
import { startDownload } from "../ask.ts";
import { type Clusterset, restartGateway } from "../clusterset.ts";
import { linesOf, stopJob, waitForLine } from "../job.ts";
import type { Place } from "../place.ts";
import { processesIn } from "../processes.ts";
import type { ClusterName } from "../scene.ts";
import { demand } from "./demand.ts";

/** Downloaded is what the client of a download says at its end. */
export interface Downloaded {
  readonly bytes: number;
  /** Longest time without a byte. */
  readonly gapMs: number;
  /** Whether every byte was the right one. */
  readonly good: boolean;
}

export interface Accident {
  readonly from: Place;
  readonly url: string;
  /** Length of the download when nothing disturbs it. */
  readonly seconds: number;
  /** Cluster whose gateway daemon is killed. */
  readonly victim: ClusterName;
  /** Time for which the daemon stays away. */
  readonly awayMs: number;
}

/** Packets are not lost by the end of a daemon; a pause of more than this would be a route that went away. */
const MOST_GAP_MS = 1000;

/** checkAccident: `kill -9` of a gateway's daemon while a download runs through its tunnel, and its return, cost the
 *  download nothing, and the tunnel's process is adopted, not replaced. */
export async function checkAccident(clusterset: Clusterset, accident: Accident): Promise<Downloaded> {
  const { from, url, seconds, victim, awayMs } = accident;
  const daemon = clusterset.gateways[victim];
  const download = await startDownload(from, "download", `${url}download?seconds=${seconds}`);
  const announced = JSON.parse(await waitForLine(download, (line) => line.includes("started"))) as { length: number };
  const tunnels = await processesIn(daemon.place.pid, "wireguard-go");
  await stopJob(daemon.job, { signal: "SIGKILL" });
  await systemClock.sleep(awayMs);
  const early = (await linesOf(download)).some((line) => line.includes("done"));
  demand(!early, "download: it still runs while the daemon is away");
  await restartGateway(clusterset, victim);
  const end = await waitForLine(download, (line) => line.includes("done"), (seconds + 15) * 1000);
  const downloaded = JSON.parse(end) as Downloaded;
  const { bytes, good, gapMs } = downloaded;
  demand(good && bytes === announced.length, `download: ${bytes} of ${announced.length} bytes came, good: ${good}`);
  demand(gapMs <= MOST_GAP_MS, `download: nothing came for ${gapMs} ms`);
  const now = await processesIn(daemon.place.pid, "wireguard-go");
  demand(now.join() === tunnels.join(), `download: the tunnel's processes were ${tunnels.join()}, are ${now.join()}`);
  return downloaded;
}
