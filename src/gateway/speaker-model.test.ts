import { rmSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { TestClock, turns } from "#lab";
import { dataDir, exportBody, TestMember } from "./testbed.ts";
import { FakeBroker, Rig } from "./testbed-broker.ts";

type Command =
  | { readonly kind: "set"; readonly from: number; readonly count: number; readonly version: number }
  | { readonly kind: "remove"; readonly from: number; readonly count: number }
  | { readonly kind: "disconnect" | "connect" | "restart" | "lose-answer" | "steal" | "give-back" | "wait" | "ask" };

/** Names of the model: more than one publication holds, so that a broker which was away gets several. */
const NAMES = 1200;

const some = fc.nat({ max: NAMES - 1 });
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("set" as const), from: some, count: some, version: fc.nat({ max: 3 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("remove" as const), from: some, count: some }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom("disconnect", "connect", "restart", "lose-answer", "steal", "give-back", "wait", "ask"),
    }) as fc.Arbitrary<Command>,
  },
);

/** World is a member's gateway and its broker, driven by commands. */
class World {
  readonly clock = new TestClock();
  readonly member = new TestMember("amber", 1);
  readonly broker = new FakeBroker(this.member, ...this.member.joined());
  readonly dir = dataDir();
  rig = this.#rigOf(new Map());

  async start(): Promise<void> {
    await this.rig.start();
    await this.broker.connect(this.rig);
  }

  async run(step: Command): Promise<void> {
    const { broker, rig } = this;
    if (step.kind === "set") rig.say(range(step, () => this.#body(step.version)));
    else if (step.kind === "remove") rig.say(range(step, () => null));
    else if (step.kind === "disconnect") broker.disconnect();
    else if (step.kind === "connect") await this.#connect();
    else if (step.kind === "lose-answer") broker.loseAnswer = true;
    else if (step.kind === "steal") this.#steal();
    else if (step.kind === "give-back") broker.speaks = true;
    else if (step.kind === "wait") await this.clock.pass(2500);
    else if (step.kind === "ask") broker.snapshot(rig, ["amber"]);
    else await this.#restart();
    await turns(3);
  }

  /** settle brings everybody back and waits until there is nothing more to say. */
  async settle(): Promise<void> {
    this.broker.speaks = true;
    for (let round = 0; round < 12; round += 1) {
      await this.#connect();
      await this.clock.pass(5000);
      if (this.#isSettled()) return;
    }
  }

  #isSettled(): boolean {
    const tally = this.broker.catalogue.members.get(this.member.cluster)?.tally;
    return tally?.count === this.rig.wanted.size && tally.root() === this.#own()?.tally.root();
  }

  #own() {
    return this.rig.follower.catalogue.members.get(this.member.cluster);
  }

  async #connect(): Promise<void> {
    if (this.rig.state !== "live") await this.broker.connect(this.rig);
  }

  /** Another gateway of the member speaks from now on. */
  #steal(): void {
    this.broker.speaks = false;
    this.broker.epoch += 1;
  }

  async #restart(): Promise<void> {
    this.broker.disconnect();
    await this.rig.stop();
    this.rig = this.#rigOf(this.rig.wanted);
    await this.rig.start();
  }

  #rigOf(wanted: Map<string, unknown>): Rig {
    return new Rig({ member: this.member, broker: this.broker, dir: this.dir, clock: this.clock, wanted });
  }

  #body(version: number) {
    return exportBody("web", [`242.1.0.${version + 1}`]);
  }
}

function range({ from, count }: { from: number; count: number }, value: () => object | null) {
  const keys: Record<string, unknown> = {};
  for (let at = from; at < Math.min(NAMES, from + count); at += 1) {
    const body = value();
    keys[`export/amber/shop/s${at}`] = body === null ? null : { ...body, name: `s${at}` };
  }
  return keys;
}

test("whatever changes and breaks off, in the end the broker holds what the manifests say, and so do we", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 3, maxLength: 14 }), async (commands) => {
      const world = new World();
      await world.start();
      for (const step of commands) await world.run(step);
      await world.settle();
      const { broker, rig, member } = world;
      const [theirs, ours] = [broker.catalogue, rig.follower.catalogue].map((c) => c.members.get(member.cluster));
      const bodies = new Map([...(theirs?.exports ?? [])].map(([key, body]) => [`export/amber/${key}`, body]));
      expect([...bodies.keys()].sort()).toEqual([...rig.wanted.keys()].sort());
      for (const [key, body] of bodies) expect(body).toEqual(rig.wanted.get(key));
      expect(ours?.tally.root()).toBe(theirs?.tally.root());
      expect(rig.troubles.list()).toEqual([]);
      await rig.stop();
      rmSync(world.dir, { recursive: true });
    }),
    { numRuns: 25 },
  );
}, 120_000);
