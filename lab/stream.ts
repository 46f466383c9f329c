import { fileURLToPath } from "node:url";
import type { Ip } from "#values";
import { type Job, linesOf, spawnIn, waitForLine } from "./job.ts";
import type { Place } from "./place.ts";
import type { Streamed } from "./udp-stream.ts";

const SCRIPT = fileURLToPath(new URL("./udp-stream.ts", import.meta.url));

export interface StreamAsk {
  readonly from: Place;
  readonly to: Place;
  /** Where the sender finds the receiver. */
  readonly address: Ip;
  readonly port: number;
  /** Packets a second; 1000 unless told. */
  readonly rate?: number;
  readonly seconds: number;
  /** The receiver waits so long for a next packet, 2 s unless told: a longer hole is taken for the end. */
  readonly idleMs?: number;
}

/** Stream is a stream of datagrams under way. */
export interface Stream {
  readonly sender: Job;
  /** end waits for the last packet, and gives what became of all. */
  end(): Promise<Streamed>;
}

/** startStream begins a steady stream of small datagrams from one place to another. */
export async function startStream(ask: StreamAsk): Promise<Stream> {
  const { from, to, address, port, rate = 1000, seconds, idleMs = 2000 } = ask;
  const argv = [process.execPath, SCRIPT, "receive", "--port", String(port), "--idle", String(idleMs)];
  const receiver = await spawnIn(to, `${to.name}-stream-${port}`, argv);
  await waitForLine(receiver, (line) => line === "ready");
  const flags = ["--to", address, "--port", String(port), "--rate", String(rate), "--seconds", String(seconds)];
  const sender = await spawnIn(from, `${from.name}-stream-${port}`, [process.execPath, SCRIPT, "send", ...flags]);
  const isEnd = (line: string): boolean => line.startsWith("{");
  return {
    sender,
    async end() {
      await waitForLine(receiver, isEnd, seconds * 1000 + 15_000);
      return JSON.parse((await linesOf(receiver)).find(isEnd) ?? "") as Streamed;
    },
  };
}
