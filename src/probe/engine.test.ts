import { describe, expect, test } from "vitest";
import { expect as must, parseIp } from "#values";
import type { BenchResult } from "./bench-result.ts";
import { Engine } from "./engine.ts";
import { encodePacket, PACKET_BYTES, type Packet, setState, turnIntoEcho } from "./packet.ts";
import type { PeerState } from "./peer-state.ts";
import { randomFrom } from "./random-from.ts";
import type { ProbeTarget } from "./report.ts";

/** Two engines over a path that takes a millisecond each way, in simulated time. */
class Pair {
  now = 0;
  /** Whether the path carries packets. */
  cut = false;
  /** Whether the left side's thread runs. */
  frozen = false;
  readonly verdicts: string[] = [];
  readonly benches: BenchResult[] = [];
  readonly runs: number[] = [];
  readonly sent: Packet[] = [];
  readonly left: Engine;
  readonly right: Engine;
  #mail: { readonly at: number; readonly to: Engine; readonly view: DataView }[] = [];
  #cookie = 0;

  constructor() {
    this.left = this.#engine(() => this.right, "left");
    this.right = this.#engine(() => this.left, "right");
  }

  /** run lets time pass in steps of half a millisecond. */
  run(ms: number): void {
    for (const end = this.now + ms; this.now < end; this.now += 0.5) {
      const due = this.#mail.filter(({ at, to }) => at <= this.now && !(this.frozen && to === this.left));
      this.#mail = this.#mail.filter((letter) => !due.includes(letter));
      for (const { to, view } of due) this.#deliver(to, view);
      if (!this.frozen && this.now >= this.left.wakeAt) this.left.turn();
      if (this.now >= this.right.wakeAt) this.right.turn();
    }
  }

  #deliver(to: Engine, view: DataView): void {
    if (to.receive(view, PACKET_BYTES, this.now) !== "echo") return;
    turnIntoEcho(view);
    setState(view, new Uint8Array(view.buffer), to.state);
    this.#post(to === this.left ? this.right : this.left, view);
  }

  #post(to: Engine, view: DataView): void {
    if (!this.cut) this.#mail.push({ at: this.now + 1, to, view });
  }

  #engine(other: () => Engine, name: string): Engine {
    const engine: Engine = new Engine({
      now: () => this.now,
      random: randomFrom(0.5),
      cookie: () => {
        this.#cookie += 2;
        return this.#cookie;
      },
      send: (_, packet) => {
        const view = new DataView(new ArrayBuffer(PACKET_BYTES));
        encodePacket(view, packet);
        setState(view, new Uint8Array(view.buffer), engine.state);
        if (name === "left") this.sent.push(packet);
        this.#post(other(), view);
      },
      onVerdict: (id, up) => this.verdicts.push(`${name}: ${id} ${up ? "up" : "down"}`),
      onBench: (result, run) => {
        this.benches.push(result);
        this.runs.push(run);
      },
    });
    return engine;
  }
}

const STATE: PeerState = { generation: 1, epoch: 2, seq: 3, headHash: "ab".repeat(16) };

function target(id: string, address = "242.0.2.1"): ProbeTarget {
  return { id, address: must(parseIp(address)), interface: null };
}

describe("Engine", () => {
  test("finds a target up, and down when the path is cut, and up again", () => {
    const pair = new Pair();
    pair.left.setTargets([target("b/g1")]);
    pair.run(1500);
    expect(pair.verdicts).toEqual(["left: b/g1 up"]);
    pair.cut = true;
    pair.run(250);
    expect(pair.verdicts.at(-1)).toBe("left: b/g1 down");
    pair.cut = false;
    pair.run(1500);
    expect(pair.verdicts.at(-1)).toBe("left: b/g1 up");
  });

  test("on a strained machine a verdict takes more misses, and comes within 300 ms all the same", () => {
    const pair = new Pair();
    pair.left.setTargets([target("b/g1")]);
    pair.run(1500);
    pair.left.setStrained(true);
    pair.cut = true;
    pair.run(190);
    expect(pair.verdicts).toEqual(["left: b/g1 up"]);
    pair.run(110);
    expect(pair.verdicts.at(-1)).toBe("left: b/g1 down");
  });

  test("reports() has round trip, loss, counts and histogram", () => {
    const pair = new Pair();
    pair.left.setTargets([target("b/g1")]);
    pair.run(5000);
    const [report] = pair.left.reports();
    expect(report).toMatchObject({ id: "b/g1", up: true, lossRatio: 0, rttSeconds: expect.closeTo(0.002, 3) });
    expect(report?.sent).toBeGreaterThan(90);
    expect(report?.received).toBeGreaterThanOrEqual((report?.sent ?? 0) - 1);
    expect(report?.histogramCount).toBe(report?.received);
    expect(report?.histogram.find(({ le }) => le === 0.005)?.count).toBe(report?.received);
  });

  test("each side learns the other's state by the echoes", () => {
    const pair = new Pair();
    pair.left.setTargets([target("b/g1")]);
    pair.right.setState(STATE);
    pair.run(500);
    expect(pair.left.reports()[0]?.peerState).toEqual(STATE);
    pair.right.setState({ ...STATE, seq: 4 });
    pair.run(500);
    expect(pair.left.reports()[0]?.peerState).toEqual({ ...STATE, seq: 4 });
    pair.right.setState(null); // a peer that restarts knows nothing for a while
    pair.run(500);
    expect(pair.left.reports()[0]?.peerState).toEqual({ ...STATE, seq: 4 });
  });

  test("gives no verdict over a span in which its own thread did not run", () => {
    const pair = new Pair();
    pair.left.setTargets([target("b/g1")]);
    pair.run(1500);
    pair.frozen = true;
    pair.cut = true; // what was sent meanwhile is lost: the socket's buffer overflowed
    pair.run(3000);
    pair.frozen = false;
    pair.cut = false;
    pair.left.late();
    pair.run(1000);
    expect(pair.verdicts).toEqual(["left: b/g1 up"]);
    expect(pair.left.reports()[0]?.lossRatio).toBe(0);
  });

  test("answers a probe of somebody it does not know", () => {
    const pair = new Pair();
    pair.right.setTargets([target("a/g1", "242.0.1.1")]);
    pair.run(1500);
    expect(pair.verdicts).toEqual(["right: a/g1 up"]);
    expect(pair.left.reports()).toEqual([]);
  });

  test("receive() ignores and counts junk, and echoes of nothing it sent", () => {
    const pair = new Pair();
    pair.left.setTargets([target("b/g1")]);
    const view = new DataView(new ArrayBuffer(PACKET_BYTES));
    expect(pair.left.receive(view, PACKET_BYTES, 0)).toBe("junk");
    encodePacket(view, { kind: "echo", cookie: 12345, seq: 0, heldNanos: 0, prompt: false });
    expect(pair.left.receive(view, PACKET_BYTES, 0)).toBe("junk");
    encodePacket(view, { kind: "echo", cookie: 2, seq: 99, heldNanos: 0, prompt: false });
    expect(pair.left.receive(view, PACKET_BYTES, 0)).toBe("junk");
    expect(pair.left.junk).toBe(3);
  });
});

describe("setTargets()", () => {
  test("keeps the history of what stays and begins anew with what changed", () => {
    const pair = new Pair();
    pair.left.setTargets([target("b/g1"), target("c/g1", "242.0.3.1")]);
    pair.run(1500);
    pair.left.setTargets([target("b/g1"), target("c/g1", "242.0.3.2"), target("d/g1", "242.0.4.1")]);
    expect(pair.left.reports().map(({ id, up }) => [id, up])).toEqual([
      ["b/g1", true],
      ["c/g1", false],
      ["d/g1", false],
    ]);
  });

  test("an echo for a target that is gone is junk", () => {
    const pair = new Pair();
    pair.left.setTargets([target("b/g1")]);
    pair.run(500);
    const before = pair.left.reports()[0]?.sent ?? 0;
    while (pair.sent.length === before) pair.run(0.5);
    pair.left.setTargets([]);
    pair.run(5);
    expect(pair.left.junk).toBe(1);
    expect(pair.left.reports()).toEqual([]);
  });

  test("150 targets are probed at 2,000 probes a second, not more", () => {
    const pair = new Pair();
    pair.left.setTargets(Array.from({ length: 150 }, (_, i) => target(`c${i}/g`)));
    pair.run(2000);
    pair.sent.length = 0;
    pair.run(5000);
    expect(pair.sent.length / 5).toBeGreaterThan(1900);
    expect(pair.sent.length / 5).toBeLessThanOrEqual(2050);
  });
});

describe("benchmark", () => {
  test("plays ping-pong back to back, marked prompt, while the probes go on", () => {
    const pair = new Pair();
    pair.left.setTargets([target("b/g1")]);
    pair.run(1000);
    pair.sent.length = 0;
    pair.left.startBench("b/g1", 1000, 1);
    pair.run(1100);
    expect(pair.benches).toHaveLength(1);
    expect(pair.benches[0]).toMatchObject({ id: "b/g1", lossRatio: 0, p50Seconds: expect.closeTo(0.002, 6) });
    expect(pair.benches[0]?.samples).toBeGreaterThan(400);
    expect(pair.sent.filter(({ prompt }) => !prompt).length).toBeGreaterThan(15);
  });

  test("is over although the peer is dead, with every ping lost", () => {
    const pair = new Pair();
    pair.left.setTargets([target("b/g1")]);
    pair.cut = true;
    pair.left.startBench("b/g1", 1000, 1);
    pair.run(1300);
    expect(pair.benches[0]).toMatchObject({ samples: 0, lossRatio: 1, p50Seconds: null });
  });

  test("counts a ping from when it leaves, not from when it was decided", () => {
    const pair = new Pair();
    pair.left.setTargets([target("b/g1")]);
    pair.left.startBench("b/g1", 100, 1);
    pair.left.turn();
    pair.now += 1;
    pair.left.leaves(pair.now);
    pair.run(1000);
    expect(pair.benches[0]).toMatchObject({
      minSeconds: expect.closeTo(0.001, 6), // the first, of which this engine was told
      p50Seconds: expect.closeTo(0.002, 6),
    });
  });

  test("says nothing after stopBench(), and ends early with its target", () => {
    const pair = new Pair();
    pair.left.setTargets([target("b/g1"), target("c/g1")]);
    for (const id of ["b/g1", "c/g1"]) pair.left.startBench(id, 10_000, 4);
    pair.run(100);
    pair.left.stopBench("b/g1");
    pair.left.setTargets([]);
    expect(pair.benches.map(({ id }) => id)).toEqual(["c/g1"]);
    expect(pair.runs).toEqual([4]);
  });

  test("ends at once and empty for a target that is unknown", () => {
    const pair = new Pair();
    pair.left.startBench("b/g1", 10_000, 7);
    expect(pair.benches).toMatchObject([{ id: "b/g1", samples: 0, lossRatio: 0 }]);
    expect(pair.runs).toEqual([7]);
  });

  test("with many targets packets may lie a little, but not while a benchmark runs", () => {
    const pair = new Pair();
    pair.left.setTargets(Array.from({ length: 20 }, (_, i) => target(`c${i}/g`)));
    pair.right.setTargets(Array.from({ length: 20 }, (_, i) => target(`d${i}/g`)));
    pair.run(100);
    expect([pair.left.patient, pair.right.patient]).toEqual([true, true]);
    pair.left.startBench("c0/g", 1000, 1);
    pair.run(100);
    expect([pair.left.patient, pair.right.patient]).toEqual([false, false]);
    pair.run(1500);
    expect([pair.left.patient, pair.right.patient]).toEqual([true, true]);
  });
});
