import { once } from "node:events";
import { type AddressInfo, connect, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { expect as must, parseIp } from "#values";
import { encodeAsk, VERDICT } from "./throughput.ts";
import { measureThroughput } from "./throughput-client.ts";
import { createThroughputServer } from "./throughput-server.ts";

const open: Server[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) {
    server.close();
    await once(server, "close");
  }
});

async function serve(isPeer = (_: string): boolean => true): Promise<number> {
  const server = createThroughputServer({ now: () => performance.now(), isPeer });
  open.push(server);
  server.listen(0, "127.7.2.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

function ask(port: number, durationMs: number): Parameters<typeof measureThroughput>[0] {
  return { from: must(parseIp("127.7.2.2")), to: must(parseIp("127.7.2.1")), port, durationMs };
}

const never = new AbortController().signal;

/** Connects as a peer of ours would, and gives what the server said until it closed. */
async function say(port: number, octets: Uint8Array): Promise<{ socket: Socket; said: Promise<Buffer> }> {
  const socket = connect({ host: "127.7.2.1", port, localAddress: "127.7.2.2" });
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => {});
  const said = once(socket, "close").then(() => Buffer.concat(chunks));
  await once(socket, "connect");
  socket.write(octets);
  return { socket, said };
}

describe("a throughput test", () => {
  test("measureThroughput() gives what the server counted", async () => {
    const port = await serve();
    const result = must(await measureThroughput(ask(port, 300), never));
    expect(result).toBeGreaterThan(1e8); // loopback carries many Gbit/s
  });

  test("a second test at the same time is told that the server is busy, and works afterwards", async () => {
    const port = await serve();
    const first = await say(port, encodeAsk(10_000));
    await once(first.socket, "data"); // accepted
    expect(await measureThroughput(ask(port, 100), never)).toEqual({
      ok: false,
      error: "the peer is busy with another test",
    });
    first.socket.destroy();
    await first.said;
    await expect.poll(async () => (await measureThroughput(ask(port, 50), never)).ok).toBe(true);
  });

  test("whoever is no peer is closed at once", async () => {
    const seen: string[] = [];
    const port = await serve((address) => {
      seen.push(address);
      return false;
    });
    expect((await measureThroughput(ask(port, 100), never)).ok).toBe(false);
    expect(seen).toEqual(["127.7.2.2"]);
  });

  test("what is no ask is cut without an answer", async () => {
    const port = await serve();
    const { said } = await say(port, Buffer.from("GET / HTTP/1.1\r\n\r\n"));
    expect(await said).toHaveLength(0);
  });

  test("a test that goes on beyond its time is cut", async () => {
    const port = await serve();
    const { socket, said } = await say(port, encodeAsk(1));
    await once(socket, "data");
    const drip = setInterval(() => socket.write("x"), 200);
    const heard = await said;
    clearInterval(drip);
    expect([...heard]).toEqual([VERDICT.accepted]);
  });

  test("a client that says nothing is cut", async () => {
    const port = await serve();
    const { said } = await say(port, new Uint8Array());
    expect(await said).toHaveLength(0);
  });

  test("aborting the signal ends it with an error", async () => {
    const port = await serve();
    const stop = new AbortController();
    const running = measureThroughput(ask(port, 10_000), stop.signal);
    setTimeout(() => stop.abort(), 50);
    expect((await running).ok).toBe(false);
  });

  test("a peer that is not there is an error", async () => {
    const port = await serve();
    const server = open.pop();
    server?.close();
    expect(await measureThroughput(ask(port, 100), never)).toMatchObject({ ok: false });
  });
});
