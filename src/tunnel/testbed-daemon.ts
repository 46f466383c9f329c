import { createInterface } from "node:readline";
import { createLog, systemClock, Troubles } from "#life";
import type { Request } from "./testbed.ts";
import { createTunnels } from "./tunnels.ts";

/** The part of a gateway that the host tests need, as a process of its own: one JSON request a line on stdin, one JSON
 *  answer a line on stdout. Arguments: DATA, path of wireguard-go. */

const [dataDir = "", implementation = ""] = process.argv.slice(2);
const stop = new AbortController();
const troubles = new Troubles();
const tunnels = createTunnels({
  dataDir,
  dataPlane: { mode: "userspace", implementation, version: null },
  log: createLog("text", "info", process.stderr),
  clock: systemClock,
  troubles,
});

async function answer(request: Request): Promise<unknown> {
  switch (request.do) {
    case "reconcile":
      return tunnels.reconcile(request.plan);
    case "troubles":
      return troubles.list();
    case "made":
      return tunnels.made.value;
    default:
      return tunnels[request.do]();
  }
}

const running = tunnels.run(stop.signal);
for await (const line of createInterface(process.stdin)) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as Request))}\n`);
}
stop.abort();
await running;
