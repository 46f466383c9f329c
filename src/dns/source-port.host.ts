import { createSocket } from "node:dgram";
import { describe, expect, test } from "vitest";
import { BATCH, createBatchMemory, MMSGHDR } from "./batch-memory.ts";
import { virtual } from "./example-services.ts";
import { type Libc, loadLibc } from "./libc.ts";
import { message, octets16 } from "./testbed.ts";
import { MODES, type Wire, wire } from "./testbed-wire.ts";
import { socketAddress } from "./udp-socket.ts";
import { concat } from "./wire-name.ts";

const QUERY = message("web.shop.svc.clusterset.local", "A");
const AF_INET = 2;
const SOCK_RAW = 3;
const IPPROTO_RAW = 255;

/** forged sends a query whose source is made up: no socket has it. Needs CAP_NET_RAW. */
function forge(libc: Libc, from: { readonly address: Uint8Array; readonly port: number }, to: Wire["at"]): void {
  const target = Uint8Array.of(127, 0, 0, 1);
  const udp = concat(octets16(from.port, to.port, 8 + QUERY.length, 0), QUERY);
  // Version and length, no fragments, lifetime 64, UDP; the kernel fills in length, id and checksum.
  const header = concat(octets16(0x4500, 20 + udp.length, 0, 0, 0x4011, 0), from.address, target);
  const packet = concat(header, udp);
  const fd = libc.socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
  const { octets, words, sent } = createBatchMemory((buffer) => libc.addressOf(buffer));
  octets.set(packet, sent.buffers);
  octets.set(socketAddress(target, 0), sent.names);
  words[(sent.iovecs >> 2) + 2] = packet.length;
  words[(sent.headers + MMSGHDR.nameLength) >> 2] = 16;
  words[(sent.headers + MMSGHDR.controlLength) >> 2] = 0;
  const count = libc.sendmmsg(fd, sent.addresses[0] as bigint, 1, 0);
  libc.close(fd);
  expect([count, BATCH]).toEqual([1, 64]);
}

/** from asks from a port and gives whether a reply came before that to a later query of a plain port. */
async function answered(bed: Wire, port: number): Promise<boolean> {
  const socket = createSocket("udp4");
  let replies = 0;
  socket.on("message", () => replies++);
  await new Promise<void>((done) => socket.bind(port, "127.0.24.1", done));
  await new Promise((done) => socket.send(QUERY, bed.at.port, bed.at.host, done));
  await bed.send(QUERY);
  await new Promise((done) => setTimeout(done, 50));
  socket.close();
  return replies > 0;
}

describe.each(MODES)("where a query comes from, by %s", (mode) => {
  test("[5.4-M32] echo and chargen get no reply, a name server's port does", async () => {
    await using bed = await wire(mode, [virtual()]);
    expect(await answered(bed, 7)).toBe(false);
    expect(await answered(bed, 19)).toBe(false);
    expect(await answered(bed, 53)).toBe(true);
    expect(bed.responder.stats().dropped).toBe(2);
  });

  test("[5.4-M32] port 0 and our own address and port get no reply: it would come back to us for ever", async () => {
    await using bed = await wire(mode, [virtual()]);
    const libc = await loadLibc();
    if (!libc.ok) throw new Error(libc.error);
    await bed.send(QUERY);
    const before = bed.responder.stats();
    forge(libc.value, { address: Uint8Array.of(127, 0, 0, 1), port: bed.at.port }, bed.at);
    forge(libc.value, { address: Uint8Array.of(127, 0, 24, 1), port: 0 }, bed.at);
    forge(libc.value, { address: Uint8Array.of(127, 0, 24, 1), port: 4242 }, bed.at);
    await bed.send(QUERY);
    const { dropped, queries, responses } = bed.responder.stats();
    // Of five messages (each question of the test is followed by one that ends it) the two forged ones are dropped.
    expect(dropped - before.dropped).toBe(2);
    expect(queries.udp - before.queries.udp).toBe(5);
    expect(responses.udp.NOERROR - before.responses.udp.NOERROR).toBe(2);
  });
});
