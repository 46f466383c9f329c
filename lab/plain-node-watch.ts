import { randomBytes } from "node:crypto";
import { runCommand, silentLog, systemClock, Troubles } from "#life";
import { createProber } from "#probe";
import type { Ip } from "#values";
import { groupLine, type PlainGateway } from "./plain-node.ts";

/** The watcher of a plain node, a process of its own: it probes the gateways as gateways probe each other, and takes the
 *  silent ones out of the node's group. Where all are silent the group stays, as the fault may be here.
 *  Arguments: the node's address, the gateways as JSON. */

const PROBE_PORT = 7720;
const [address = "", list = "[]"] = process.argv.slice(2);
const gateways = JSON.parse(list) as readonly PlainGateway[];
const up = new Map<string, boolean>();
let last = gateways.map((_, at) => at).join();
let ready = false;

const prober = createProber({
  ...{ address: address as Ip, port: PROBE_PORT, clock: systemClock, log: silentLog, troubles: new Troubles() },
  random: () => randomBytes(4).readUInt32BE() / 2 ** 32,
});
prober.setTargets(gateways.map(({ name, global }) => ({ id: name, address: global, interface: null })));
prober.onVerdict((id, isUp) => {
  up.set(id, isUp);
  const healthy = gateways.flatMap(({ name }, at) => (up.get(name) === true ? [at] : []));
  if (!ready && healthy.length === gateways.length) {
    ready = true;
    process.stdout.write("ready\n");
  }
  if (!ready || healthy.length === 0 || healthy.join() === last) return;
  last = healthy.join();
  void runCommand(["ip", ...groupLine("replace", healthy).split(" ")]).then((done) => {
    process.stdout.write(`${JSON.stringify({ healthy, ok: done.ok })}\n`);
  });
});
await prober.run(new AbortController().signal);
