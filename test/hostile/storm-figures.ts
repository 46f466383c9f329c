import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { BrokerUnderTest } from "./broker-under-test.ts";
import { rssOf, StormServer, stormBroker } from "./storm.ts";

/** StormFigures is what many bad frames did to a process. */
export interface StormFigures {
  readonly sent: number;
  /** Resident memory after the first part and after all, in MiB. */
  readonly firstMiB: number;
  readonly lastMiB: number;
  readonly alive: boolean;
}

/** As bin/meridian starts the program. */
const FLAGS = ["--min-semi-space-size=2", "--max-semi-space-size=2", "--max-old-space-size=512"];
const ENV = { MALLOC_ARENA_MAX: "2", MALLOC_TRIM_THRESHOLD_: "65536" };
const CLIENT = fileURLToPath(new URL("./client-in-storm.ts", import.meta.url));

/** brokerInStorm sends bad frames to a broker, and looks at its memory after the first thousand and after all. */
export async function brokerInStorm(broker: BrokerUnderTest, first: number, all: number): Promise<StormFigures> {
  const at = { port: broker.place.port, ca: broker.ca };
  const pid = broker.daemon.child.pid ?? 0;
  await stormBroker(at, first);
  const firstMiB = await rssOf(pid);
  await stormBroker(at, all - first);
  const lastMiB = await rssOf(pid);
  return { sent: all, firstMiB, lastMiB, alive: broker.daemon.child.exitCode === null };
}

/** clientInStorm has a broker send bad frames to the client of a gateway. */
export async function clientInStorm(first: number, all: number): Promise<StormFigures> {
  await using server = new StormServer();
  const url = await server.open();
  const child = spawn(process.execPath, [...FLAGS, CLIENT, url, server.ca], {
    env: ENV,
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    await once(child.stdout, "data");
    const pid = child.pid ?? 0;
    const over = once(child, "exit").then(() => "over" as const);
    await Promise.race([server.reached(first), over]);
    const firstMiB = await rssOf(pid);
    await Promise.race([server.reached(all), over]);
    const lastMiB = await rssOf(pid);
    return { sent: server.sent, firstMiB, lastMiB, alive: child.exitCode === null };
  } finally {
    child.kill("SIGKILL");
  }
}
