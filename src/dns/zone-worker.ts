import { setImmediate as nextTurn } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "#life";
import { type Cidr, err, ok, type Result } from "#values";
import { Answerer } from "./answerer.ts";
import { Counters } from "./counters.ts";
import { loadLibc } from "./libc.ts";
import { Networks } from "./networks.ts";
import { packetPath } from "./packet-path.ts";
import { steadyTime } from "./steady-time.ts";
import { tcpAnswer } from "./tcp-answer.ts";
import { TcpServer } from "./tcp-server.ts";
import { type ZoneService, zoneShape, zoneShapes } from "./zone.ts";
import type { FromZoneWorker, ToZoneWorker, ZoneBatch, ZoneWorkerData } from "./zone-batch.ts";
import { ZoneBuilder } from "./zone-builder.ts";
import { HEAD, viewZone } from "./zone-memory.ts";
import { ZoneReader } from "./zone-reader.ts";

/** How long one step of writing may keep TCP waiting. */
const BUDGET_MS = 2;

// This thread does two things by turns: it writes the zone, and it serves TCP from it. Both are one event loop, so a
// TCP query never meets half a change. UDP threads read the same memory at the same time (zone-memory.ts).
const data = workerData as ZoneWorkerData;
const memory = viewZone(data.zone);
const builder = new ZoneBuilder(memory, zoneShapes(data.options));
const counters = new Counters(data.counters, data.thread);
const path = packetPath(data.packets, {
  counters,
  keepaliveMs: data.tcp.idleMs,
  now: systemClock.now,
  steady: steadyTime,
});
const server = new TcpServer({
  answer: tcpAnswer(
    new Answerer(new ZoneReader(memory, zoneShape(data.options)), data.seed, path),
    counters,
    data.watch,
  ),
  limits: data.tcp,
  forwarders: new Networks(data.packets.policy.forwarders),
  counters,
  open: Promise.resolve(Atomics.waitAsync(memory.words, HEAD.open, 0).value),
  now: () => performance.now(),
});

/** Batches are applied one after another, in the order they came. */
let applying: Promise<void> = Promise.resolve();

parentPort?.on("message", (message: ToZoneWorker) => {
  switch (message.kind) {
    case "batch":
      applying = applying.then(() => apply(message));
      break;
    case "listen":
      void listen(message);
      break;
    case "unlisten":
      server.unlisten(message.id);
      break;
    case "stop":
      void server.close().then(() => parentPort?.close());
      break;
  }
});

/** Each service is one step that readers see as a whole; between steps TCP has its turn. */
async function apply({ sequence, serial, services, removed, reverse, ...flags }: ZoneBatch): Promise<void> {
  const { namespaces, synced } = flags;
  builder.setSerial(serial);
  let fault = reverse === undefined ? undefined : await applyReverse(reverse);
  for (const { namespace, name } of removed) builder.remove(namespace, name);
  let start = performance.now();
  for (const service of JSON.parse(services) as readonly ZoneService[]) {
    fault = faultOf(() => builder.put(service), `${service.namespace}/${service.name}`) ?? fault;
    if (performance.now() - start < BUDGET_MS) continue;
    await nextTurn();
    start = performance.now();
  }
  if (namespaces !== undefined) fault = faultOf(() => builder.setNamespaces(namespaces), "namespaces") ?? fault;
  if (synced !== undefined) builder.setSynced(synced);
  builder.endBatch();
  post({ kind: "applied", sequence, fault, skipped: builder.skipped });
}

/** Networks change with the configuration, hardly ever; what was in them is removed in steps all the same. */
async function applyReverse(networks: readonly Cidr[]): Promise<string | undefined> {
  const steps = builder.setReverse(networks);
  for (;;) {
    let done: boolean | undefined;
    const fault = faultOf(() => {
      const step = steps.next();
      done = step.done === true ? step.value : undefined;
      return done ?? true;
    }, "reverse zones");
    if (fault !== undefined || done !== undefined) return fault;
    await nextTurn();
  }
}

/** A bug costs one change, never the zone. */
function faultOf(step: () => boolean, what: string): string | undefined {
  try {
    return step() ? undefined : `${what}: the zone's memory is full`;
  } catch (reason) {
    counters.add("faults");
    return `${what}: ${String(reason)}`;
  }
}

/** listen answers a request of the main thread: the port, or the error code. */
async function listen({ id, listen: at, adopt }: Extract<ToZoneWorker, { kind: "listen" }>): Promise<void> {
  const held = adopt === undefined ? ok(undefined) : await share(adopt);
  const bound = held.ok ? await server.listen(id, at, held.value) : held;
  post(bound.ok ? { kind: "listening", id, ...bound.value } : { kind: "failed", id, code: bound.error });
}

/** share gives another descriptor of a listening socket: connections come to whoever is there to take them. */
async function share(fd: number): Promise<Result<number>> {
  const libc = await loadLibc();
  const shared = libc.ok ? libc.value.dup(fd) : -1;
  return shared < 0 ? err("EBADF") : ok(shared);
}

function post(message: FromZoneWorker): void {
  parentPort?.postMessage(message);
}
