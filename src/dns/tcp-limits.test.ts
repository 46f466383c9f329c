import { once } from "node:events";
import { readdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { parseCidr, expect as take } from "#values";
import { headless, ip, pods, virtual } from "./example-services.ts";
import { message, octets16 } from "./testbed.ts";
import { MODES, udpClient, type Wire, wire } from "./testbed-wire.ts";
import { concat } from "./wire-name.ts";

/** Limits of a whole responder, as clients from several sources meet them. */

const Z = "clusterset.local";
const QUERY = message(`web.shop.svc.${Z}`, "A");

function framed(query: Uint8Array): Uint8Array {
  return concat(octets16(query.length), query);
}

function open({ at }: Wire, localAddress = "127.0.0.1"): Socket {
  const socket = connect({ host: at.host, port: at.port, localAddress, noDelay: true });
  socket.on("error", () => {});
  return socket;
}

/** slowest asks by UDP, over and over while work goes on, and gives the longest wait in milliseconds. */
async function slowestUdp(bed: Wire, work: Promise<unknown>): Promise<number> {
  let busy = true;
  const done = work.finally(() => {
    busy = false;
  });
  let slowest = 0;
  while (busy) {
    const before = performance.now();
    expect((await bed.send(QUERY)).answers).toHaveLength(1);
    slowest = Math.max(slowest, performance.now() - before);
    await sleep(2);
  }
  await done;
  return slowest;
}

describe.each(MODES)("TCP beside UDP by %s", (mode) => {
  test("[5.4-T6] F49: 2,000 idle, dripping and lying connections stay within the limits, and UDP does not feel them", async () => {
    const tcp = { total: 300, perSource: 100, messageMs: 1500 };
    await using bed = await wire(mode, [virtual()], { tcp });
    const sockets: Socket[] = [];
    const attack = async (): Promise<void> => {
      for (let i = 0; i < 2000; i++) {
        const socket = open(bed, `127.0.20.${1 + (i % 10)}`);
        sockets.push(socket);
        if (i % 50 === 49) await once(socket, "connect");
        if (i % 4 === 1) socket.write(Uint8Array.of(0));
        if (i % 4 === 2) socket.write(octets16(65_535));
        if (i % 4 === 3) socket.write(concat(octets16(40), new Uint8Array(20)));
      }
      await sleep(500);
    };
    // Generous: the machine of a test is busy with others.
    expect(await slowestUdp(bed, attack())).toBeLessThan(1000);
    const { open: now, accepted } = bed.responder.stats().tcp;
    expect(now).toBeLessThanOrEqual(300);
    expect(accepted).toBeGreaterThan(1000);
    expect((await bed.send(QUERY, true)).answers).toHaveLength(1);
    // Nobody of them ever asks a whole question: all are gone at the deadline.
    while (bed.responder.stats().tcp.open > 1) await sleep(50);
    for (const socket of sockets) socket.destroy();
  }, 60_000);

  test("[5.4-T6] a source has its share and no more, forwarders as many as there are", async () => {
    const packets = { forwarders: [take(parseCidr("127.0.22.1/32"))] };
    await using bed = await wire(mode, [virtual()], { tcp: { total: 200, perSource: 10 }, packets });
    const hold = async (source: string): Promise<readonly Socket[]> => {
      const sockets = Array.from({ length: 40 }, () => open(bed, source));
      await Promise.all(sockets.map((socket) => once(socket, "connect")));
      await Promise.all(
        sockets.map(async (socket) => {
          socket.write(framed(QUERY));
          await Promise.race([once(socket, "data"), once(socket, "close")]);
        }),
      );
      return sockets;
    };
    const one = await hold("127.0.21.1");
    while (bed.responder.stats().tcp.open > 10) await sleep(20);
    const coredns = await hold("127.0.22.1");
    expect(bed.responder.stats().tcp.open).toBe(50);
    for (const socket of [...one, ...coredns]) socket.destroy();
  });

  test("[5.4-T2] F49: 10,000 queries in one go get 10,000 answers, and others theirs meanwhile", async () => {
    await using bed = await wire(mode, [virtual()]);
    const all = bed.all(
      Array.from({ length: 10_000 }, () => QUERY),
      true,
    );
    const other = open(bed);
    other.write(framed(QUERY));
    await once(other, "data");
    expect(await all).toHaveLength(10_000);
    other.destroy();
  });

  test("[5.4-T8] a storm of connections and resets leaves no descriptor behind", async () => {
    await using bed = await wire(mode, [virtual(), headless(pods(3000))]);
    const query = framed(message(`db.shop.svc.${Z}`, "A"));
    const descriptors = (): number => readdirSync("/proc/self/fd").length;
    const before = descriptors();
    for (let round = 0; round < 10; round++) {
      const clients = Array.from({ length: 50 }, () => open(bed));
      await Promise.all(clients.map((client) => once(client, "connect")));
      for (const [i, client] of clients.entries()) {
        client.write(concat(query, query));
        if (i % 2 === 0) client.resetAndDestroy();
        else client.destroy();
      }
    }
    while (bed.responder.stats().tcp.open > 0) await sleep(20);
    expect(bed.responder.stats()).toMatchObject({ faults: 0, restarts: 0 });
    expect(descriptors()).toBeLessThanOrEqual(before + 5);
    expect((await bed.send(QUERY, true)).answers).toHaveLength(1);
  });
});

// Both at once: there is nothing to do but to wait.
describe.concurrent.each(MODES)("TCP by %s in no hurry", (mode) => {
  test("[5.4-T9] 15 s of silence between two queries, with the limits as they are", async () => {
    await using bed = await wire(mode, [virtual()]);
    const client = open(bed);
    const closed: string[] = [];
    for (const event of ["end", "error", "close"]) client.on(event, () => closed.push(event));
    client.write(framed(QUERY));
    await once(client, "data");
    await sleep(15_000);
    expect(closed).toEqual([]);
    client.write(framed(QUERY));
    await once(client, "data");
    client.destroy();
  }, 40_000);
});

describe.each(MODES)("several addresses by %s", (mode) => {
  test("[5.4-M33] the reply leaves from the address that was asked", async () => {
    const listen = ["127.0.0.1", "127.0.23.1", "127.0.23.2"].map((host) => ({ host: ip(host), port: 0 }));
    await using bed = await wire(mode, [virtual()], { listen });
    for (const at of bed.responder.bound) {
      // The client's socket is connected: it hears a reply from that address alone.
      const client = await udpClient(at);
      expect(await client.all([QUERY])).toHaveLength(1);
      client.close();
    }
  });
});
