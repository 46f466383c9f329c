import { hash } from "node:crypto";
import { once } from "node:events";
import type { TLSSocket } from "node:tls";
import { describe, expect, test } from "vitest";
import { brokerTls, channelBinding, createBrokerCa, verifyProof } from "#identity";
import { err, millis, ok, type Revision } from "#values";
import type { Batch } from "#wire";
import { batchFrames } from "./frames.ts";
import type { Guest } from "./greeting.ts";
import { call, httpsServer, loginFor, openHouse, QUICK, RawPeer, record, STORE, welcome } from "./testbed.ts";

const firstState = (guest: Guest, revision = 1): void => {
  const put = [record("web")];
  for (const frame of batchFrames({ revision: revision as Revision, put, removed: [], snapshot: true }))
    guest.link.send(frame, () => {});
};

describe("a session", () => {
  test("goes from dialing to live, and its proof is bound to both ends' exporter", async () => {
    await using house = await openHouse({ message: (said, guest) => said.t === "sync" && firstState(guest) });
    await using caller = call(house.url);
    await caller.states.first((state) => state === "live");
    expect(caller.states.all).toEqual(["dialing", "greeting", "syncing", "live"]);
    const { login, binding, link } = await house.guests.first();
    expect(verifyProof(login.key, { ...binding, ...login }, login.proof)).toBe(true);
    expect(link).toMatchObject({ remote: "127.0.0.1", version: "test", features: ["grants", "chronicle"] });
    expect(caller.batches.all.map(({ put }) => put)).toEqual([[record("web")]]);
  });

  test("resumes at the cursor that its owner has", async () => {
    const cursor = { store: STORE, revision: 41 as Revision };
    await using house = await openHouse();
    await using _caller = call(house.url, { cursor: () => cursor });
    expect(await house.heard.first()).toEqual({ t: "sync", cursor });
  });

  test("is live only when the whole first state was applied", async () => {
    const applied = Promise.withResolvers<void>();
    await using house = await openHouse({ message: (said, guest) => said.t === "sync" && firstState(guest) });
    await using caller = call(house.url, { batch: () => applied.promise });
    await caller.states.first((state) => state === "syncing");
    expect(await caller.client.claim()).toMatchObject({ ok: false, error: { code: "broker-away" } });
    applied.resolve();
    await caller.states.first((state) => state === "live");
  });

  test("applies batches one after the other, and reads slower when they take long", async () => {
    let [atWork, most, done] = [0, 0, 0];
    const all = Promise.withResolvers<void>();
    const batch = async (_: Batch): Promise<void> => {
      atWork += 1;
      most = Math.max(most, atWork);
      await new Promise((resolve) => setImmediate(resolve));
      atWork -= 1;
      done += 1;
      if (done === 200) all.resolve();
    };
    await using house = await openHouse({
      message: (said, guest) => {
        for (let i = 0; said.t === "sync" && i < 200; i++) firstState(guest, i);
      },
    });
    await using _caller = call(house.url, { batch });
    await all.promise;
    expect(most).toBe(1);
  });

  test("ends where a batch cannot be taken, and the next one begins at the cursor", async () => {
    let fail = true;
    const batch = async (): Promise<void> => {
      if (fail) throw new Error("no space left");
    };
    await using house = await openHouse({ message: (said, guest) => said.t === "sync" && firstState(guest) });
    await using caller = call(house.url, { batch, timing: QUICK });
    await caller.states.first((state) => state === "syncing");
    await house.gone.first();
    fail = false;
    await caller.states.first((state) => state === "live");
    expect(house.guests.all).toHaveLength(2);
  });

  test("answers each question by its number, and all that wait when it ends", async () => {
    await using house = await openHouse({
      message: (said, { link }) => {
        if (said.t === "sync") firstState(house.guests.all[0] as Guest);
        if (said.t === "claim") link.tell({ t: "epoch", id: said.id, epoch: 7 });
        if (said.t === "publish") link.tell({ t: "nack", id: said.id, code: "quota", message: "too much" });
        if (said.t === "yield") link.cut("for the test");
      },
    });
    await using caller = call(house.url);
    await caller.states.first((state) => state === "live");
    const { client } = caller;
    expect(await client.claim()).toEqual(ok(7));
    expect(await client.publish({ put: [], remove: [] })).toEqual(err({ code: "quota", message: "too much" }));
    expect(await client.yieldEpoch()).toMatchObject({ ok: false, error: { code: "broker-away" } });
  });

  test("is not begun with a broker of another authority", async () => {
    const other = createBrokerCa(millis(Date.now())).pem;
    await using house = await openHouse();
    await using caller = call(house.url, { tls: () => brokerTls(other), timing: QUICK });
    await caller.states.first((_, at = caller.states.all.length) => at >= 3);
    expect(caller.states.all).not.toContain("greeting");
    expect(house.connections()).toBe(0);
  });
});

describe("a refusal", () => {
  const refuse = (retry: boolean) => ({ admit: () => err({ code: "evicted", message: "go", retry }) });

  test("reaches the owner with its reason", async () => {
    await using house = await openHouse(refuse(true));
    await using caller = call(house.url);
    expect(await caller.refusals.first()).toMatchObject({ code: "evicted", message: "go", retry: true });
  });

  test.each([
    [false, 15_000, 45_000],
    [true, 0, 500],
  ])("with retry=%s makes the client wait %i to %i ms (F39: no storm)", async (retry, least, most) => {
    const slept = Promise.withResolvers<number>();
    const clock = {
      now: () => millis(0),
      monotonic: () => 0,
      sleep: async (span: number, signal?: AbortSignal) => {
        slept.resolve(span);
        if (signal !== undefined) await once(signal, "abort");
      },
    };
    await using house = await openHouse(refuse(retry));
    await using _caller = call(house.url, { clock });
    const span = await slept.promise;
    expect(span).toBeGreaterThanOrEqual(least);
    expect(span).toBeLessThanOrEqual(most);
  });
});

describe("the other end is gone", () => {
  test("a client that hears nothing hangs up within two beats, and dials again (F32)", async () => {
    const { server, url } = await httpsServer();
    let upgrades = 0;
    const twice = Promise.withResolvers<void>();
    server.on("upgrade", (request, socket) => {
      upgrades += 1;
      if (upgrades === 2) twice.resolve();
      const accept = acceptOf(String(request.headers["sec-websocket-key"]));
      socket.write(
        `HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      socket.on("error", () => {});
      socket.pause();
    });
    await using _caller = call(url, { timing: QUICK });
    await twice.promise;
    server.close();
    server.closeAllConnections();
  });

  test("a server that hears nothing cuts the session, and tells its owner", async () => {
    await using house = await openHouse({ timing: QUICK });
    using silent = new RawPeer(house.url, { autoPong: false });
    const nonce = await silent.hello();
    silent.say(loginFor({ exporter: channelBinding(silent.socket as TLSSocket), nonce }));
    const { link } = await house.guests.first();
    await using talking = call(house.url, { timing: QUICK });
    await house.gone.first();
    expect(link.open).toBe(false);
    expect(house.connections()).toBe(1);
    expect(talking.states.all).toEqual(["dialing", "greeting", "syncing"]);
  });

  test("a stopped server ends its sessions, and run() returns when they are gone", async () => {
    const house = await openHouse({ timing: QUICK });
    await using caller = call(house.url);
    await caller.states.first((state) => state === "syncing");
    await house[Symbol.asyncDispose]();
    expect(house.connections()).toBe(0);
    expect(house.gone.all).toHaveLength(1);
  });
});

describe("a link", () => {
  test("says nothing more once it was refused, and hears nothing", async () => {
    await using house = await openHouse();
    await using caller = call(house.url);
    const { link, login } = await house.guests.first();
    await caller.states.first((state) => state === "syncing");
    link.refuse({ code: "evicted", message: "gone", retry: false });
    link.tell(welcome(login));
    expect(await caller.refusals.first()).toMatchObject({ code: "evicted" });
    expect(caller.welcomes.all).toHaveLength(1);
  });

  test("of a gateway that was let in knows the version and features that it shares with us (F38)", async () => {
    await using house = await openHouse();
    await using _caller = call(house.url, { login: (binding) => ({ ...loginFor(binding), later: "field" }) as never });
    const { login, link } = await house.guests.first();
    expect(link.features).toEqual(["grants", "chronicle"]);
    expect(login).not.toHaveProperty("later"); // unknown fields of a message pass; those of records are kept in their text
  });
});

function acceptOf(key: string): string {
  return hash("sha1", `${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`, "base64");
}
