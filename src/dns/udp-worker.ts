import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "#life";
import { err, ok, type Result } from "#values";
import { Answerer } from "./answerer.ts";
import { BatchLoop } from "./batch-loop.ts";
import { Counters } from "./counters.ts";
import { openDgram } from "./dgram-listener.ts";
import { type Libc, loadLibc } from "./libc.ts";
import { ListenerWatch } from "./listener-watch.ts";
import { packetPath } from "./packet-path.ts";
import { askShortSlices } from "./short-slices.ts";
import { steadyTime } from "./steady-time.ts";
import { adoptUdpSocket, openUdpSocket } from "./udp-socket.ts";
import type { FromUdpWorker, UdpWorkerData } from "./udp-thread.ts";
import { zoneShape } from "./zone.ts";
import { awaitOpen, viewZone, type ZoneMemory } from "./zone-memory.ts";
import { ZoneReader } from "./zone-reader.ts";

/** The thread of one UDP listener. It reads the zone, counts, and answers; nobody sends it anything but the end. */
interface Thread {
  readonly data: UdpWorkerData;
  readonly zone: ZoneMemory;
  readonly answerer: Answerer;
  readonly counters: Counters;
}

/** The thread ends with run; a message of any kind ends the dgram mode, the zone's stop word the other. */
async function run(data: UdpWorkerData): Promise<Result<void>> {
  const zone = viewZone(data.zone);
  const counters = new Counters(data.counters, data.thread);
  const path = packetPath(data.packets, { counters, keepaliveMs: 0, now: systemClock.now, steady: steadyTime });
  const answerer = new Answerer(new ZoneReader(zone, zoneShape(data.options)), data.seed, path);
  if (data.watch !== undefined) answerer.watch = new ListenerWatch(data.watch, data.thread - 1, false);
  const thread = { data, zone, answerer, counters };
  if (data.mode === "dgram") return serveDgram(thread, "asked for");
  const libc = await loadLibc();
  const served: Served = libc.ok ? serveBatches(libc.value, thread) : { kind: "unfit", why: libc.error };
  if (served.kind === "ended") return served.result;
  return data.mode === "auto" ? serveDgram(thread, served.why) : err(served.why);
}

/** Served is what became of batches: they ended, or this system has none. */
type Served =
  | { readonly kind: "ended"; readonly result: Result<void> }
  | { readonly kind: "unfit"; readonly why: string };

/** serveBatches blocks the thread in system calls until the zone's stop word is set: messages to this thread are not
 *  read meanwhile, and need not be. */
function serveBatches(libc: Libc, { data, zone, answerer, counters }: Thread): Served {
  const { adopt, listen } = data;
  const socket = adopt === undefined ? openUdpSocket(libc, listen) : adoptUdpSocket(libc, adopt, listen);
  if (!socket.ok) return { kind: "ended", result: socket };
  try {
    const loop = new BatchLoop({ libc, socket: socket.value, zone, reader: data.thread, answerer, counters });
    const works = loop.probe();
    if (!works.ok) return { kind: "unfit", why: `recvmmsg: ${works.error}` };
    post({ kind: "bound", port: socket.value.port, mode: "ffi", why: "", fd: socket.value.fd });
    askShortSlices(libc);
    awaitOpen(zone);
    return { kind: "ended", result: loop.run() };
  } finally {
    libc.close(socket.value.fd);
  }
}

/** serveDgram leaves the thread to its event loop until a message comes. */
async function serveDgram({ data, zone, answerer, counters }: Thread, why: string): Promise<Result<void>> {
  const socket = await openDgram(data.listen, { zone, reader: data.thread, answerer, counters });
  if (!socket.ok) return err(socket.error);
  const stopped = new Promise<void>((resolve) => {
    parentPort?.once("message", () => socket.value.close(() => resolve()));
  });
  post({ kind: "bound", port: socket.value.address().port, mode: "dgram", why, fd: -1 });
  awaitOpen(zone); // its event loop stands still: messages wait in the kernel
  await stopped;
  return ok(undefined);
}

function post(message: FromUdpWorker): void {
  parentPort?.postMessage(message);
}

const ended = await run(workerData as UdpWorkerData);
if (!ended.ok) post({ kind: "failed", code: ended.error });
parentPort?.close();
