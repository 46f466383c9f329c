import { describe, expect, test } from "vitest";
import { PingPong } from "./ping-pong.ts";
import { randomFrom } from "./random-from.ts";

const start = (durationMs: number): PingPong => new PingPong("b/g", 0, durationMs, randomFrom(0.5));

describe("PingPong", () => {
  test("has one ping out at a time", () => {
    const game = start(1000);
    expect(game.sent(0)).toBe(0);
    expect(game.sent(1)).toBeNull();
    expect(game.received(0, 2, 0)).toBe(true);
    expect(game.sent(2)).toBe(1);
  });

  test("received() ignores an echo of any other ping", () => {
    const game = start(1000);
    expect(game.received(0, 1, 0)).toBe(false);
    game.sent(0);
    expect(game.received(1, 1, 0)).toBe(false);
    expect(game.received(0, 1, 0)).toBe(true);
    expect(game.received(0, 1, 0)).toBe(false);
  });

  test("leaves() says when a ping really left, and nothing where none is out", () => {
    const game = start(1000);
    game.leaves(5);
    game.sent(0);
    game.leaves(1);
    game.received(0, 3, 0);
    expect(game.result()).toMatchObject({ samples: 1, p50Seconds: 0.002 });
  });

  test("takes the responder's time out of a round trip", () => {
    const game = start(1000);
    game.sent(0);
    game.received(0, 3, 1e6);
    expect(game.result()).toMatchObject({ samples: 1, p50Seconds: 0.002 });
  });

  test("counts a ping as lost after 200 ms and goes on", () => {
    const game = start(1000);
    game.sent(0);
    expect(game.next(10)).toBe(200);
    game.expire(199);
    expect(game.sent(199)).toBeNull();
    game.expire(200);
    expect(game.sent(200)).toBe(1);
    game.received(1, 201, 0);
    expect(game.result()).toMatchObject({ samples: 1, lossRatio: 0.5 });
  });

  test("is done when its time is over and no ping is out", () => {
    const game = start(100);
    game.sent(90);
    expect(game.done(110)).toBe(false);
    game.received(0, 120, 0);
    expect(game.done(120)).toBe(true);
    expect(game.sent(120)).toBeNull();
  });

  test("result() leaves out a ping that is still out", () => {
    const game = start(100);
    game.sent(0);
    game.received(0, 1, 0);
    game.sent(1);
    expect(game.result()).toMatchObject({ samples: 1, lossRatio: 0 });
  });
});
