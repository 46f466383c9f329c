import { once } from "node:events";
import type { TLSSocket } from "node:tls";
import { describe, expect, test } from "vitest";
import { channelBinding, verifyProof } from "#identity";
import { err, ok } from "#values";
import { MAX_FRAME } from "#wire";
import type { Guest } from "./greeting.ts";
import { FULL_BYTES, MAX_ANONYMOUS_PER_ADDRESS } from "./limits.ts";
import { call, frameBytes, type HouseOptions, loginFor, openHouse, QUICK, RawPeer, rawSocket } from "./testbed.ts";

/** A broker's door: only who signed for this connection comes in. */
const strict: HouseOptions = {
  admit: ({ login, binding }) =>
    verifyProof(login.key, { ...binding, ...login }, login.proof)
      ? ok(undefined)
      : err({ code: "bad-proof", message: "not for this connection", retry: false }),
};

const closeCodeOf = async (socket: TLSSocket): Promise<number> => {
  for await (const data of socket) {
    const bytes = data as Buffer;
    if ((bytes[0] ?? 0) === 0x88) return bytes.readUInt16BE(2);
  }
  return 0;
};

describe("the greeting", () => {
  test.each([
    ["garbage", "not JSON {", "bad-message"],
    ["a hello without its fields", { t: "hello" }, "bad-message"],
    ["a message of another kind", { t: "dance" }, "bad-message"],
    ["__proto__", '{"__proto__":{"t":"hello"}}', "bad-message"],
    ["a login before hello", loginFor({ exporter: Buffer.alloc(32), nonce: Buffer.alloc(24) }), "bad-order"],
    ["a publication before login", { t: "publish", id: 1, put: [], remove: [] }, "bad-order"],
    ["a protocol of the past", { t: "hello", protocols: [0, 0], features: [], version: "0" }, "protocol"],
    ["a protocol of the future", { t: "hello", protocols: [2, 9], features: [], version: "9" }, "protocol"],
  ])("refuses %s with a code, for good, and ends the connection (F39)", async (_, message, code) => {
    await using house = await openHouse(strict);
    using peer = await new RawPeer(house.url).opened();
    peer.say(message);
    expect(await peer.heard("refused")).toMatchObject({ code, retry: false });
    expect(await peer.closed).toBe(1008);
    expect(house.guests.all).toEqual([]);
  });

  test("keeps unknown fields and features out of its way (F38)", async () => {
    await using house = await openHouse(strict);
    using peer = await new RawPeer(house.url).opened();
    peer.say({ t: "hello", protocols: [1, 4], features: ["grants", "tele"], version: "4", more: { a: 1 } });
    expect(await peer.heard("challenge")).toMatchObject({ protocol: 1, features: ["grants", "chronicle"] });
  });

  test("refuses a binary frame", async () => {
    await using house = await openHouse(strict);
    using peer = await new RawPeer(house.url).opened();
    peer.ws.send(Buffer.from('{"t":"hello"}'));
    expect(await peer.heard("refused")).toMatchObject({ code: "bad-message", message: "a binary frame" });
  });

  test("takes one login: a second one, sent behind a refused first, is not looked at", async () => {
    await using house = await openHouse(strict);
    using peer = new RawPeer(house.url);
    const nonce = await peer.hello();
    const wrong = loginFor({ exporter: Buffer.alloc(32), nonce });
    const right = loginFor({ exporter: channelBinding(peer.socket as TLSSocket), nonce });
    for (const login of [wrong, wrong, right]) peer.say(login);
    expect(await peer.closed).toBe(1008);
    expect(house.guests.all).toHaveLength(1);
    expect(peer.messages.all.filter(({ t }) => t === "welcome")).toEqual([]);
  });

  test("refuses a proof that was made for another connection, or for another challenge", async () => {
    await using house = await openHouse(strict);
    using first = new RawPeer(house.url);
    const nonce = await first.hello();
    const replayed = loginFor({ exporter: channelBinding(first.socket as TLSSocket), nonce });
    using second = new RawPeer(house.url);
    const other = await second.hello();
    second.say(replayed);
    expect(await second.heard("refused")).toMatchObject({ code: "bad-proof" });
    using third = new RawPeer(house.url);
    await third.hello();
    third.say(loginFor({ exporter: channelBinding(third.socket as TLSSocket), nonce: other }));
    expect(await third.heard("refused")).toMatchObject({ code: "bad-proof" });
    first.say(replayed);
    await first.heard("welcome");
  });

  test("[CVE-2020-7219] cuts who does not log in in time", async () => {
    await using house = await openHouse({ ...strict, timing: { ...QUICK, pingMs: 60_000 } });
    using silent = await new RawPeer(house.url).opened();
    using halfway = new RawPeer(house.url);
    await halfway.hello();
    expect(await Promise.all([silent.closed, halfway.closed])).toEqual([1008, 1008]);
  });

  test("survives an owner that fails, and ends only that connection", async () => {
    let fails = true;
    const admit = (_: Guest) => {
      if (fails) throw new Error("a bug");
      return ok(undefined);
    };
    await using house = await openHouse({ admit });
    using peer = new RawPeer(house.url);
    const nonce = await peer.hello();
    peer.say(loginFor({ exporter: channelBinding(peer.socket as TLSSocket), nonce }));
    expect(await peer.heard("refused")).toMatchObject({ code: "internal", retry: true });
    fails = false;
    await using caller = call(house.url);
    await caller.welcomes.first();
  });

  test("answers other paths as if there were nothing, and leaves no connection", async () => {
    await using house = await openHouse(strict);
    using peer = new RawPeer(house.url, { path: "/v1/other" });
    await peer.closed;
    expect(house.connections()).toBe(0);
  });

  test("[CVE-2020-7219] keeps idle strangers of one address to a bound, and has room again when they go", async () => {
    await using house = await openHouse(strict);
    const crowd = Array.from({ length: MAX_ANONYMOUS_PER_ADDRESS }, () => new RawPeer(house.url));
    await Promise.all(crowd.map((peer) => peer.opened()));
    using late = new RawPeer(house.url);
    await late.closed;
    expect(house.connections()).toBe(MAX_ANONYMOUS_PER_ADDRESS);
    for (const peer of crowd) peer[Symbol.dispose]();
    await using caller = call(house.url, { random: () => 1 });
    await caller.welcomes.first();
  });
});

describe("frames that cost too much (F65)", () => {
  test.each([
    ["a message above the limit", 1009, (socket: TLSSocket) => oversized(socket)],
    [
      "a length of 64 bits",
      1009,
      (socket: TLSSocket) => socket.write(Buffer.from("81ff7fffffffffffffff00000000", "hex")),
    ],
    [
      "a length beyond 2^53",
      1009,
      (socket: TLSSocket) => socket.write(Buffer.from("81ffffffffffffffffff00000000", "hex")),
    ],
    ["131,000 fragments [CVE-2026-48779]", 1008, (socket: TLSSocket) => fragments(socket, 131_000)],
    ["reserved bits", 1002, (socket: TLSSocket) => socket.write(frameBytes(0xf1, Buffer.from("{}")))],
    [
      "a compressed frame that nobody agreed to",
      1002,
      (socket: TLSSocket) => socket.write(frameBytes(0xc1, Buffer.alloc(50))),
    ],
    ["an unmasked frame", 1002, (socket: TLSSocket) => socket.write(Buffer.from("81027b7d", "hex"))],
    ["text that is not UTF-8", 1007, (socket: TLSSocket) => socket.write(frameBytes(0x81, Buffer.from("ff80", "hex")))],
  ])("%s ends the connection with %i, and the process lives", async (_, code, attack) => {
    await using house = await openHouse(strict);
    const socket = await rawSocket(house.port);
    const closed = closeCodeOf(socket);
    attack(socket);
    expect(await closed).toBe(code);
    socket.destroy();
    await using caller = call(house.url);
    await caller.welcomes.first();
  });

  test("a flood of pings whose answers nobody reads fills no memory", async () => {
    await using house = await openHouse({ ...strict, timing: { ...QUICK, handshakeMs: 60_000, pingMs: 60_000 } });
    const socket = await rawSocket(house.port);
    socket.pause();
    const before = process.memoryUsage().rss;
    const pings = Buffer.concat(Array.from({ length: 5000 }, () => frameBytes(0x89, Buffer.alloc(125))));
    for (let sent = 0; sent < 40 << 20; sent += pings.length) {
      if (!socket.write(pings)) await once(socket, "drain");
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20);
    socket.destroy();
  });

  test("a member that asks and never reads the answers is cut", async () => {
    const message = "m".repeat(2000);
    await using house = await openHouse({
      message: (_, { link }) => {
        for (let i = 0; i < 100; i++) link.tell({ t: "nack", id: 1, code: "x", message });
      },
      timing: { ...QUICK, pingMs: 60_000 },
    });
    using peer = new RawPeer(house.url);
    const nonce = await peer.hello();
    peer.say(loginFor({ exporter: channelBinding(peer.socket as TLSSocket), nonce }));
    const { link } = await house.guests.first();
    await peer.heard("welcome");
    peer.ws.pause();
    while (link.open) {
      for (let i = 0; i < 100; i++) peer.say({ t: "claim", id: 1 });
      await new Promise((resolve) => setImmediate(resolve));
      expect(link.buffered()).toBeLessThan(FULL_BYTES + 300_000);
    }
    await house.gone.first();
  });
});

async function oversized(socket: TLSSocket): Promise<void> {
  const head = Buffer.from("81ff0000000000000000", "hex");
  head.writeUInt32BE(MAX_FRAME + 1, 6);
  socket.write(Buffer.concat([head, Buffer.alloc(4 + 1000)]));
}

function fragments(socket: TLSSocket, count: number): void {
  const one = Buffer.concat(
    Array.from({ length: count }, (_, i) => frameBytes(i === 0 ? 0x01 : 0x00, Buffer.from("x"))),
  );
  socket.write(one);
}
