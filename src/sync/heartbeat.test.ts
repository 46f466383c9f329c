import { EventEmitter } from "node:events";
import { describe, expect, test } from "vitest";
import type { WebSocket } from "ws";
import { Heartbeat } from "./heartbeat.ts";
import { PONG_BYTES } from "./limits.ts";

class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  isPaused = false;
  pings = 0;
  pongs = 0;
  bytesRead = 0;
  ping(): void {
    this.pings += 1;
  }
  pong(): void {
    this.pongs += 1;
  }
}

function begin(): { readonly socket: FakeSocket; readonly heart: Heartbeat } {
  const socket = new FakeSocket();
  const heart = new Heartbeat(socket as unknown as WebSocket, () => socket as never);
  heart.beat();
  return { socket, heart };
}

describe("beat()", () => {
  test("pings, and is satisfied by any octet that came", () => {
    const { socket, heart } = begin();
    socket.bytesRead += 1;
    expect(heart.beat()).toBe(true);
    expect(socket.pings).toBe(2);
  });

  test("gives up on who was silent for a whole beat", () => {
    const { heart } = begin();
    expect(heart.beat()).toBe(false);
  });

  test("takes a frame that leaves for a sign of life only where unsent bytes waited", () => {
    const { socket, heart } = begin();
    heart.moved();
    expect(heart.beat()).toBe(false); // the kernel takes frames for a peer that vanished, too
    socket.bytesRead += 1;
    socket.bufferedAmount = 100_000;
    expect(heart.beat()).toBe(true);
    heart.moved();
    expect(heart.beat()).toBe(true);
    expect(heart.beat()).toBe(false);
  });

  test("does not blame the other end for what we do not read", () => {
    const { socket, heart } = begin();
    socket.isPaused = true;
    expect(heart.beat()).toBe(true);
  });
});

test("pings of the other end are answered, but not into a full socket", () => {
  const { socket } = begin();
  socket.emit("ping", Buffer.alloc(0));
  socket.bufferedAmount = PONG_BYTES;
  socket.emit("ping", Buffer.alloc(0));
  expect(socket.pongs).toBe(1);
});
