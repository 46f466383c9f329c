import { setImmediate as nextTurn } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import type { Cidr } from "#values";
import { Answerer } from "./answerer.ts";
import { Counters } from "./counters.ts";
import { HEADER, MAX_MESSAGE } from "./iana.ts";
import { TcpServer } from "./tcp-server.ts";
import { type ZoneService, type ZoneShape, zoneShape, zoneShapes } from "./zone.ts";
import type { FromZoneWorker, ToZoneWorker, ZoneBatch, ZoneWorkerData } from "./zone-batch.ts";
import { ZoneBuilder } from "./zone-builder.ts";
import { HEAD, viewZone, type ZoneMemory } from "./zone-memory.ts";
import { ZoneReader } from "./zone-reader.ts";

/** How long one step of writing may keep TCP waiting. */
const BUDGET_MS = 2;

// This thread does two things by turns: it writes the zone, and it serves TCP from it. Both are one event loop, so a
// TCP query never meets half a change. UDP threads read the same memory at the same time (zone-memory.ts).
const data = workerData as ZoneWorkerData;
const memory = viewZone(data.zone);
const shape = zoneShape(data.options);
const builder = new ZoneBuilder(memory, zoneShapes(data.options));
const counters = new Counters(data.counters, data.thread);
const server = new TcpServer({
  answer: tcpAnswer(memory, shape, counters, data.seed),
  limits: data.tcp,
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
async function listen({ id, listen: at }: Extract<ToZoneWorker, { kind: "listen" }>): Promise<void> {
  const port = await server.listen(id, at);
  post(port.ok ? { kind: "listening", id, port: port.value } : { kind: "failed", id, code: port.error });
}

function post(message: FromZoneWorker): void {
  parentPort?.postMessage(message);
}

/** tcpAnswer answers in this thread. It writes the zone itself, so nothing it looks at can go meanwhile. */
function tcpAnswer(zone: ZoneMemory, of: ZoneShape, count: Counters, seed: number) {
  const answerer = new Answerer(new ZoneReader(zone, of), seed);
  const out = MAX_MESSAGE + 1;
  const octets = new Uint8Array(out + MAX_MESSAGE + 1);
  return (message: Uint8Array): Buffer | undefined => {
    count.add("tcpQueries");
    octets.set(message);
    let length = 0;
    try {
      length = answerer.answer(octets, 0, message.length, out, true);
    } catch {
      count.add("faults"); // a bug costs one reply, never the listener
    }
    if (length < HEADER) return undefined;
    count.response(true, answerer.rcode);
    const reply = Buffer.allocUnsafe(2 + length);
    reply.writeUInt16BE(length, 0);
    reply.set(octets.subarray(out, out + length), 2);
    return reply;
  };
}
