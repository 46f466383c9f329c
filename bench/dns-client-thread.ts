import { parentPort, workerData } from "node:worker_threads";
import { DnsBatches } from "./dns-batches.ts";
import { BUCKET_US, BUCKETS, CELL, type ClientThread } from "./dns-client-cells.ts";

/** The thread of one client: it asks until its stop cell is set. */

const WINDOW = 32;
const { port, messages, shared, perSecond } = workerData as ClientThread;
const cells = new Float64Array(shared);
const batches = await DnsBatches.open(port);
let next = 0;

function add(cell: number, n: number): void {
  cells[cell] = (cells[cell] as number) + n;
}

function put(count: number): void {
  for (let i = 0; i < count; i++) {
    batches.put(i, messages[next % messages.length] as Uint8Array, next & 0xffff);
    next++;
  }
}

/** closed sends a window, and waits for its replies: each took at most as long as the last of them. */
function closed(): void {
  put(WINDOW);
  const first = (next - WINDOW) & 0xffff;
  const before = performance.now();
  batches.send(WINDOW);
  let waiting = WINDOW;
  while (waiting > 0) {
    const count = batches.receive();
    if (count === 0) break; // a tenth of a second: what is not here now is lost
    const bucket = CELL.cells + Math.min(BUCKETS - 1, Math.floor(((performance.now() - before) * 1000) / BUCKET_US));
    for (let i = 0; i < count; i++) {
      if (((batches.id(i) - first) & 0xffff) >= WINDOW) continue;
      waiting--;
      add(bucket, 1);
      add(batches.rcode(i) === 0 ? CELL.answered : CELL.failed, 1);
    }
  }
  add(CELL.sent, WINDOW);
  add(CELL.lost, waiting);
}

const nap = new Int32Array(new SharedArrayBuffer(4));

/** open sends what is due every millisecond, and reads nothing: replies fall off the end of the socket's buffer. */
function open(began: number): void {
  const due = Math.floor(((performance.now() - began) * perSecond) / 1000) - (cells[CELL.sent] as number);
  const count = Math.min(64, due);
  if (count <= 0) Atomics.wait(nap, 0, 0, 1);
  else {
    put(count);
    batches.send(count);
    add(CELL.sent, count);
  }
}

parentPort?.postMessage("ready");
const began = performance.now();
while (cells[CELL.stop] === 0) {
  if (perSecond === 0) closed();
  else open(began);
}
batches.close();
