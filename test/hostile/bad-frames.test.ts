import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { folder } from "../cli/testbed.ts";
import { badFrames, fragments, pings } from "./bad-frames.ts";
import { BrokerDouble, type BrokerSession } from "./broker-double.ts";
import { BrokerUnderTest } from "./broker-under-test.ts";
import { GatewayUnderTest } from "./gateway-under-test.ts";
import type { Witness } from "./gateway-witness.ts";
import { MemberDouble } from "./member-double.ts";
import { Signer } from "./signer.ts";
import { rssOf } from "./storm.ts";
import { brokerInStorm, clientInStorm } from "./storm-figures.ts";

/** F65: octets that cost too much or mean nothing, in both directions, against the program as users run it. */

const [dir, remove] = folder();
afterAll(remove);

describe("a broker that is sent bad frames", () => {
  let broker: BrokerUnderTest;

  beforeAll(async () => {
    broker = await BrokerUnderTest.start(dir);
  }, 30_000);
  afterAll(() => broker?.[Symbol.asyncDispose]());

  test("hundreds of every kind by strangers: it lives, serves, and its memory stays", async () => {
    const { alive, firstMiB, lastMiB } = await brokerInStorm(broker, 420, 840);
    expect(alive).toBe(true);
    expect(lastMiB - firstMiB).toBeLessThan(20);
  });

  test("each kind by a member: its session ends, others go on", async () => {
    const signer = new Signer("mallory");
    const other = new Signer("other");
    const token = await broker.invite();
    const at = { url: broker.url, ca: broker.ca };
    await using good = await MemberDouble.joined({ ...at, signer: other, token: await broker.invite() });
    await (await MemberDouble.joined({ ...at, signer, token }))[Symbol.asyncDispose]();
    for (const { octets, cut = false, name } of badFrames(true)) {
      if (name === "a message out of turn") continue; // a claim of a member is in turn
      await using bad = await MemberDouble.dial({ ...at, signer });
      const { _socket: raw } = bad.ws as unknown as { _socket: { write(data: Buffer): void; end(data: Buffer): void } };
      if (cut) raw.end(octets);
      else raw.write(octets);
      await bad.closed;
    }
    expect(await good.publish(other.says({ web: {} }))).toMatchObject({ t: "ack" });
  });
});

describe("a gateway whose broker sends bad frames", () => {
  let double: BrokerDouble;
  let amber: GatewayUnderTest;
  let before: Witness;

  beforeAll(async () => {
    double = await BrokerDouble.open();
    const birch = double.puppet("birch");
    double.put([birch.gateway(), ...birch.says({ web: {} }).put]);
    amber = await GatewayUnderTest.start(dir, "amber", double);
    await amber.until(({ imports }) => imports.length === 1, "the import");
    before = await amber.witness();
  }, 30_000);
  afterAll(async () => {
    await amber?.[Symbol.asyncDispose]();
    await double?.[Symbol.asyncDispose]();
  });

  test.each<[string, () => Buffer]>([
    ["a frame of 1 GiB [CVE-2026-1526]", () => badFrames(false)[1]?.octets as Buffer],
    ["a length of 64 bits [CVE-2026-1528]", () => badFrames(false)[2]?.octets as Buffer],
    ["131,000 fragments [CVE-2026-48779]", () => fragments(131_000, false)],
    ["a compressed bomb", () => badFrames(false).find(({ name }) => name.includes("bomb"))?.octets as Buffer],
  ])("in a session that is live, %s: it hangs up, keeps what it knows and comes back", async (_, octets) => {
    const from = double.arrivals.all.length;
    const rss = await rssOf(amber.daemon.child.pid ?? 0);
    const [session] = double.sessions() as [BrokerSession];
    session.socket.write(octets());
    await session.closed;
    expect((await rssOf(amber.daemon.child.pid ?? 0)) - rss).toBeLessThan(30);
    await double.session("amber", from);
    expect((await amber.witness()).answers).toEqual(before.answers);
  });

  test("a flood of pings fills no memory, and names are answered meanwhile", async () => {
    const rss = await rssOf(amber.daemon.child.pid ?? 0);
    const [session] = double.sessions() as [BrokerSession];
    session.socket.pause(); // nobody reads the answers
    for (let i = 0; i < 40; i += 1) {
      await new Promise((resolve) => session.socket.write(pings(5000, false), resolve));
    }
    expect((await amber.witness()).answers).toEqual(before.answers);
    expect((await rssOf(amber.daemon.child.pid ?? 0)) - rss).toBeLessThan(40);
    session.socket.resume();
  });

  test("hundreds of every kind to the client: it lives, and its memory stays", async () => {
    const { alive, firstMiB, lastMiB, sent } = await clientInStorm(420, 840);
    expect([alive, sent >= 840]).toEqual([true, true]);
    expect(lastMiB - firstMiB).toBeLessThan(20);
  });
});
