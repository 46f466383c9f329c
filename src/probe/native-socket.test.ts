import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { expect as must, parseIp } from "#values";
import { type Libc, loadLibc } from "./libc.ts";
import { NativeSocket } from "./native-socket.ts";
import { decodePacket, PACKET_BYTES, type Packet } from "./packet.ts";
import { sockaddrOf } from "./sockaddr.ts";

const PORT = 20_000 + (process.pid % 20_000);
const PROBE: Packet = { kind: "probe", cookie: 2, seq: 1, heldNanos: 0, prompt: false };
const sockets: NativeSocket[] = [];
let libc: Libc;

beforeAll(async () => {
  libc = must(await loadLibc());
});

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

/** When queued packets were given to the kernel, by any socket of a test. */
const flushed: number[] = [];
const at = (address: string) => ({ address: must(parseIp(address)), port: PORT });

function open(address: string): NativeSocket {
  const socket = must(
    NativeSocket.open(
      libc,
      at(address),
      () => performance.now(),
      (now) => flushed.push(now),
    ),
  );
  sockets.push(socket);
  return socket;
}

const to = (address: string): Uint8Array => sockaddrOf(must(parseIp(address)), PORT);

/** Reads all that is in a socket; `answer` asks for echoes. */
function read(
  socket: NativeSocket,
  answer = false,
  wokenAt = performance.now(),
): { packet: ReturnType<typeof decodePacket>; arrivedAt: number }[] {
  const got: { packet: ReturnType<typeof decodePacket>; arrivedAt: number }[] = [];
  socket.receive(
    wokenAt,
    (view, length, arrivedAt) => {
      got.push({ packet: decodePacket(view, length), arrivedAt });
      return answer;
    },
    () => null,
  );
  return got;
}

/** The kernel begins to stamp a moment after the first socket asks for it (net_enable_timestamp() leaves it to a worker);
 *  until then a packet has the time of its reading. */
async function untilStamped(left: NativeSocket, right: NativeSocket): Promise<void> {
  for (;;) {
    left.queue(to("127.7.1.2"), 0, PROBE, null);
    left.flush();
    await pause(5);
    const [probe] = read(right);
    if (probe !== undefined && performance.now() - probe.arrivedAt > 3) return;
  }
}

describe.each([
  ["IPv4", "127.7.1.1", "127.7.1.2"],
  ["IPv6", "::1", "::1"],
])("NativeSocket over %s", (_, ours, theirs) => {
  test("carries a probe there and its echo back, by a named interface or not", () => {
    const left = open(ours);
    const right = ours === theirs ? left : open(theirs);
    for (const link of [0, libc.if_nametoindex("lo")]) {
      const before = performance.now();
      left.queue(to(theirs), link, PROBE, null);
      left.flush();
      const [probe] = read(right, true);
      expect(probe?.packet).toEqual({ ok: true, value: PROBE });
      expect(probe?.arrivedAt).toBeGreaterThan(before - 1);
      expect(probe?.arrivedAt).toBeLessThanOrEqual(performance.now());
      const [echo] = read(left);
      expect(echo?.packet).toMatchObject({ value: { kind: "echo", cookie: 2, seq: 1 } });
      expect(left.takeLinkFault()).toBe(false);
    }
  });
});

describe("NativeSocket", () => {
  test("stamps the time of arrival, not of reading, and tells the prober how long it held the probe", async () => {
    const left = open("127.7.1.1");
    const right = open("127.7.1.2");
    await untilStamped(left, right);
    left.queue(to("127.7.1.2"), 0, PROBE, null);
    left.flush();
    const sentAt = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 30)); // the span that is measured
    const [probe] = read(right, true);
    expect((probe?.arrivedAt ?? Number.POSITIVE_INFINITY) - sentAt).toBeLessThan(15);
    const [echo] = read(left);
    const held = echo?.packet.ok === true ? echo.packet.value.heldNanos / 1e6 : 0;
    expect(held).toBeGreaterThan(15);
    expect(held).toBeLessThan(performance.now() - sentAt + 1);
  });

  test("carries more than a batch at once", () => {
    const left = open("127.7.1.1");
    const right = open("127.7.1.2");
    for (let seq = 0; seq < 150; seq += 1) left.queue(to("127.7.1.2"), 0, { ...PROBE, seq }, null);
    left.flush();
    expect(read(right, true)).toHaveLength(150);
    const seqs = read(left).map(({ packet }) => (packet.ok ? packet.value.seq : -1));
    expect(seqs).toEqual(Array.from({ length: 150 }, (_, seq) => seq));
  });

  test("skips a packet that cannot leave, sends the rest, and says so once", () => {
    const left = open("127.7.1.1");
    const right = open("127.7.1.2");
    left.queue(to("127.7.1.2"), 999_999, PROBE, null); // no such interface
    left.queue(to("127.7.1.2"), 0, { ...PROBE, seq: 2 }, null);
    left.flush();
    expect(read(right).map(({ packet }) => packet)).toEqual([{ ok: true, value: { ...PROBE, seq: 2 } }]);
    expect([left.takeLinkFault(), left.takeLinkFault()]).toEqual([true, false]);
  });

  test("shows junk of any size as junk, and reads on", async () => {
    const right = open("127.7.1.2");
    const stranger = createSocket("udp4");
    for (const size of [0, 1, 71, 73, 500, 1400]) {
      stranger.send(Buffer.alloc(size), PORT, "127.7.1.2");
    }
    await new Promise<void>((resolve) => stranger.send(Buffer.alloc(2), PORT, "127.7.1.2", () => resolve()));
    const got = read(right);
    expect(got).toHaveLength(7);
    expect(got.every(({ packet }) => !packet.ok)).toBe(true);
    stranger.close();
    await once(stranger, "close");
  });

  test("an echo has the size of its probe", async () => {
    const right = open("127.7.1.2");
    const stranger = createSocket("udp4");
    const left = open("127.7.1.1");
    left.queue(to("127.7.1.2"), 0, PROBE, null);
    left.flush();
    read(right, true);
    const sizes: number[] = [];
    left.receive(
      0,
      (_, length) => {
        sizes.push(length);
        return false;
      },
      () => null,
    );
    expect(sizes).toEqual([PACKET_BYTES]);
    stranger.close();
  });

  test("a probe arrives when the kernel has it, a benchmark's packet when the thread woke for it, if that was later", async () => {
    const [left, right] = [open("127.7.1.1"), open("127.7.1.2")];
    const send = (prompt: boolean): number => {
      left.queue(to("127.7.1.2"), 0, { ...PROBE, prompt }, null);
      left.flush();
      return performance.now();
    };
    const sent = send(false);
    await pause(20);
    expect(read(right)[0]?.arrivedAt).toBeLessThan(sent + 5);
    const late = send(true) + 20;
    await pause(30);
    expect(read(right, false, late)[0]?.arrivedAt).toBe(late);
    const soon = send(true);
    expect(read(right, false, soon - 1000)[0]?.arrivedAt).toBeGreaterThan(soon - 5);
  });

  test("tells when queued packets are given to the kernel, before they are", () => {
    const left = open("127.7.1.1");
    flushed.length = 0;
    left.flush();
    expect(flushed).toEqual([]);
    const before = performance.now();
    left.queue(to("127.7.1.2"), 0, PROBE, null);
    left.flush();
    expect(flushed).toEqual([expect.closeTo(before, -1)]);
  });

  test("open() names address, port and reason", () => {
    open("127.7.1.1");
    const again = NativeSocket.open(libc, at("127.7.1.1"), () => 0);
    expect(again).toEqual({ ok: false, error: `UDP port ${PORT} of 127.7.1.1: EADDRINUSE` });
    const foreign = NativeSocket.open(libc, at("192.0.2.1"), () => 0);
    expect(foreign).toEqual({ ok: false, error: `UDP port ${PORT} of 192.0.2.1: EADDRNOTAVAIL` });
  });
});
