import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { ip, virtual } from "./example-services.ts";
import { message, testbed, ZONE } from "./testbed.ts";
import { HEAD } from "./zone-memory.ts";

/** A reader in another thread: it asks for one service over and over and counts replies that hold no whole state.
 *  All addresses of a state have one third octet, and there are as many as the state's number modulo 20, plus 1. */
const READER = `
import { parentPort, workerData } from "node:worker_threads";
const { Answerer } = await import(workerData.room + "answerer.ts");
const { ZoneReader } = await import(workerData.room + "zone-reader.ts");
const { zoneShape } = await import(workerData.room + "zone.ts");
const { viewZone, enterZone, leaveZone } = await import(workerData.room + "zone-memory.ts");
const zone = viewZone(workerData.shared);
const answerer = new Answerer(new ZoneReader(zone, zoneShape(workerData.zone)), workerData.reader + 1);
const octets = new Uint8Array(8192);
octets.set(workerData.query);
let bad = 0, asked = 0;
const states = new Set();
parentPort.postMessage("ready");
while (Atomics.load(zone.words, ${HEAD.stop}) === 0) {
  enterZone(zone, workerData.reader);
  const length = answerer.answer(octets, 0, workerData.query.length, 4096, true);
  leaveZone(zone, workerData.reader);
  asked++;
  const count = octets[4096 + 7];
  const end = 4096 + length;
  const state = octets[end - 2];
  states.add(state);
  if ((octets[4096 + 3] & 15) !== 0 || count !== (state % 20) + 1) bad++;
  else for (let i = 0; i < count; i++) if (octets[end - 2 - 16 * i] !== state) { bad++; break; }
}
parentPort.postMessage({ bad, asked, states: states.size });
`;

describe("readers in other threads", () => {
  test("see whole states of a service only, while it and the table change and memory is used again", async () => {
    const bed = testbed();
    const state = (n: number) => {
      const addresses = Array.from({ length: (n % 20) + 1 }, (_, i) => ip(`10.0.${n}.${i}`));
      return virtual({ addresses, ports: [] });
    };
    bed.builder.put(state(0));
    const query = message("web.shop.svc.clusterset.local", "A");
    const room = new URL("./", import.meta.url).href;
    const workers = [0, 1].map((reader) => {
      const workerData = { shared: bed.memory.shared, reader, query, room, zone: ZONE };
      return new Worker(new URL(`data:text/javascript,${encodeURIComponent(READER)}`), { workerData });
    });
    await Promise.all(workers.map((worker) => once(worker, "message")));
    const reports = workers.map((worker) => once(worker, "message"));
    const until = performance.now() + 1500;
    for (let n = 1; performance.now() < until; n++) {
      bed.builder.put(state(n % 250));
      // Names that come and go make removed slots, and so new tables.
      bed.builder.put(virtual({ name: `x${n}` }));
      if (n > 400) bed.builder.remove("shop", `x${n - 400}`);
      bed.builder.endBatch();
    }
    Atomics.store(bed.memory.words, HEAD.stop, 1);
    for (const [report] of await Promise.all(reports)) {
      expect(report).toMatchObject({ bad: 0 });
      expect(report.asked).toBeGreaterThan(1000);
      expect(report.states).toBeGreaterThan(5);
    }
    expect(bed.memory.words[HEAD.usedBytes]).toBeLessThan(4 << 20);
  });
});
