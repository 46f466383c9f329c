import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { PeerState } from "#probe";
import { exportBody, TestMember } from "./testbed.ts";
import { type Composed, composed } from "./testbed-gateway.ts";
import { createWithholding, isAhead, stateOf } from "./withholding.ts";

const said = (change: Partial<PeerState> = {}): PeerState => ({
  ...{ generation: 1, epoch: 1, seq: 1, headHash: "00".repeat(32) },
  ...change,
});

let made: Composed;
let birch: TestMember;
let peerState: PeerState | null;
let told: (PeerState | null)[];
let end: () => Promise<void>;

beforeEach(async () => {
  made = composed();
  birch = new TestMember("birch", 2);
  [peerState, told] = [null, []];
  const prober = { setState: (state: PeerState | null) => told.push(state) };
  Object.assign(made.gateway.prober, { reports: () => [{ id: "birch/gw", peerState }] });
  Object.defineProperty(made.gateway.prober, "prober", { value: prober });
  await made.hears(...birch.joined(), ...birch.says({ web: exportBody("web", []) }));
  const stop = new AbortController();
  const running = createWithholding(made.gateway).run(stop.signal);
  end = async () => {
    stop.abort();
    await running;
  };
});
afterEach(async () => {
  await end();
  made.gateway.cache.close();
  rmSync(made.dir, { recursive: true });
});

/** The hash that birch's own probes carry: the beginning of its head's. */
const ownHash = () => {
  const member = made.gateway.follower.catalogue.members.get(birch.cluster);
  return (member === undefined ? null : stateOf(member))?.headHash.slice(0, 32) ?? "";
};
const codes = () => made.gateway.troubles.list().map(({ code, subject }) => `${code} ${subject}`);

describe("createWithholding()", () => {
  test("a peer that is ahead of the catalogue for long shows that the broker withholds", async () => {
    peerState = said({ seq: 2 });
    await made.clock.pass(9000);
    expect(codes()).toEqual([]);
    await made.clock.pass(3000);
    expect(codes()).toEqual(["broker-withholds birch"]);
    await made.hears(...birch.says({ api: exportBody("api", []) }));
    peerState = said({ seq: 2, headHash: ownHash() });
    await made.clock.pass(1000);
    expect(codes()).toEqual([]);
  });

  test("a peer that says what is known is no trouble", async () => {
    peerState = said({ headHash: ownHash() });
    await made.clock.pass(30_000);
    expect(codes()).toEqual([]);
  });

  test("a peer that says other things under the same order shows that we were given another view", async () => {
    peerState = said({ headHash: "ab".repeat(16) });
    await made.clock.pass(12_000);
    expect(codes()).toEqual(["broker-withholds birch"]);
  });

  test("our probes say how far our own records have come, though not what the broker cannot have yet", async () => {
    await made.hears(...made.amber.joined(), ...made.amber.says({ web: exportBody("web", []) }));
    await made.clock.pass(5000);
    expect(told).toEqual([]);
    made.gateway.session.state = "live";
    await made.clock.pass(5000);
    expect(told).toEqual([expect.objectContaining({ generation: 1, epoch: 1, seq: 1 })]);
  });
});

describe("isAhead()", () => {
  const member = () => made.gateway.follower.catalogue.members.get(birch.cluster);

  test.each([
    [said(), true], // the same order, other content
    [said({ seq: 2 }), true],
    [said({ epoch: 2, seq: 0 }), true],
    [said({ epoch: 0, seq: 9 }), false],
    [said({ generation: 2, epoch: 0, seq: 0 }), true],
    [said({ generation: 0, epoch: 9 }), false],
  ])("%j against generation 1, 1.1 is %s", (state, ahead) => {
    expect(isAhead(state, member())).toBe(ahead);
  });

  test("nobody is ahead who is no member", async () => {
    expect(isAhead(said({ seq: 9 }), undefined)).toBe(false);
    await made.hears(birch.leave());
    expect(isAhead(said({ seq: 9 }), member())).toBe(false);
  });

  test("stateOf() is nothing before there is a head", async () => {
    await made.hears(...made.amber.joined());
    const own = made.gateway.follower.catalogue.members.get(made.amber.cluster);
    expect(own === undefined ? undefined : stateOf(own)).toBeNull();
  });
});
