import { setImmediate as nextTurn } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { type Cidr, err, ipBytes, ok, parseIp, type Result } from "#values";
import { Answerer } from "./answerer.ts";
import { Counters } from "./counters.ts";
import { HEADER, MAX_MESSAGE } from "./iana.ts";
import { loadLibc } from "./libc.ts";
import { ListenerWatch } from "./listener-watch.ts";
import { type TcpClient, TcpServer } from "./tcp-server.ts";
import type { WatchShare } from "./watch-share.ts";
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
const server = new TcpServer({
  answer: tcpAnswer(data, new ZoneReader(memory, zoneShape(data.options)), counters),
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

/** tcpAnswer answers in this thread. It writes the zone itself, so nothing it looks at can go meanwhile. */
function tcpAnswer({ seed, watch }: ZoneWorkerData, reader: ZoneReader, count: Counters) {
  const answerer = new Answerer(reader, seed);
  const out = MAX_MESSAGE + 1;
  const octets = new Uint8Array(out + MAX_MESSAGE + 1);
  const watches = Array.from(
    { length: watch?.listeners ?? 0 },
    (_, id) => new ListenerWatch(watch as WatchShare, id, true),
  );
  return (message: Uint8Array, client: TcpClient): Buffer | undefined => {
    count.add("tcpQueries");
    octets.set(message);
    answerer.watch = watches[client.listener];
    if (answerer.watch !== undefined) introduce(answerer.watch, client);
    let length = 0;
    try {
      length = answerer.answer(octets, 0, message.length, out, true);
    } catch {
      count.add("faults"); // a bug costs one reply, never the listener
    }
    answerer.watch?.end();
    if (length < HEADER) return undefined;
    count.response(true, answerer.rcode);
    const reply = Buffer.allocUnsafe(2 + length);
    reply.writeUInt16BE(length, 0);
    reply.set(octets.subarray(out, out + length), 2);
    return reply;
  };
}

/** introduce says who asks; one whose address is gone with its connection is nobody. */
function introduce(watch: ListenerWatch, { address, port }: TcpClient): void {
  const ip = parseIp(address.split("%", 1)[0] ?? "");
  const from = ip.ok ? ipBytes(ip.value) : new Uint8Array(0);
  watch.begin();
  watch.asker(from, 0, from.length, port);
}
