import { describe, expect, test } from "vitest";
import { expect as must, parseIp } from "#values";
import { paceFor } from "./pace.ts";
import { encodePacket, encodeState, PACKET_BYTES, type Packet, setState } from "./packet.ts";
import { randomFrom } from "./random-from.ts";
import { Watch } from "./watch.ts";

const TARGET = { id: "b/g", address: must(parseIp("242.0.2.1")), interface: "mrd0" };
const NEVER = Number.NEGATIVE_INFINITY;

const watchOf = (): Watch => new Watch(TARGET, 40, 0, paceFor(1), { random: randomFrom(0.5) });
const echo = (seq: number, heldNanos = 0): Packet => ({ kind: "echo", cookie: 40, seq, heldNanos, prompt: false });

function echoWith(seq: number): DataView {
  const view = new DataView(new ArrayBuffer(PACKET_BYTES));
  encodePacket(view, echo(0));
  const state = encodeState({ generation: 1, epoch: 1, seq, headHash: "ab".repeat(16) });
  setState(view, new Uint8Array(view.buffer), state);
  return view;
}

describe("Watch", () => {
  test("has one cookie for probes and another for pings", () => {
    const watch = watchOf();
    expect(watch.cookies).toEqual([40, 41]);
    expect([watch.isPing(40), watch.isPing(41)]).toEqual([false, true]);
  });

  test("isFor() tells whether a target is the same way", () => {
    const watch = watchOf();
    expect(watch.isFor({ ...TARGET })).toBe(true);
    expect(watch.isFor({ ...TARGET, interface: "mrd1" })).toBe(false);
    expect(watch.isFor({ ...TARGET, address: must(parseIp("242.0.2.2")) })).toBe(false);
  });

  test("receive() measures the path without the responder's time", () => {
    const watch = watchOf();
    expect(watch.receive(echo(watch.tracker.sent(100), 3e6), 110, NEVER)).toBeNull();
    expect(watch.report(200)).toMatchObject({ sent: 1, received: 1, histogramCount: 1, histogramSum: 0.007 });
    expect(watch.report(200).rttSeconds).toBeCloseTo(0.007);
  });

  test("receive() of a probe that left before this machine was late counts, but measures nothing", () => {
    const watch = watchOf();
    expect(watch.receive(echo(watch.tracker.sent(100)), 900, 850)).toBeNull();
    expect(watch.report(900)).toMatchObject({ received: 1, rttSeconds: null, jitterSeconds: null, histogramCount: 0 });
  });

  test("receive() of something never sent, or twice, is not ours", () => {
    const watch = watchOf();
    expect(watch.receive(echo(5), 10, NEVER)).toBeUndefined();
    const seq = watch.tracker.sent(20);
    watch.receive(echo(seq), 21, NEVER);
    expect(watch.receive(echo(seq), 22, NEVER)).toBeUndefined();
    expect(watch.report(30).histogramCount).toBe(1);
  });

  test("seeState() looks a few times a second", () => {
    const watch = watchOf();
    watch.seeState(echoWith(1), 0);
    watch.seeState(echoWith(2), 100);
    expect(watch.report(100).peerState?.seq).toBe(1);
    watch.seeState(echoWith(3), 200);
    expect(watch.report(200).peerState?.seq).toBe(3);
  });
});
