import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Cidr, contains } from "#values";
import { mustExec } from "./exec.ts";
import { endOf, linesOf, spawnIn, waitForLine } from "./job.ts";
import { type Frame, parsePcap } from "./pcap.ts";
import type { Place } from "./place.ts";

/** Capture is a running capture of all that passes a place. */
export interface Capture {
  readonly file: string;
  /** stop ends it and gives the frames in order. */
  stop(): Promise<readonly Frame[]>;
}

/** Reading is what somebody on the wire has learnt. */
export interface Reading {
  readonly frames: number;
  /** Frames in which a text stands readable. */
  readonly withMarker: number;
  /** Packets whose outer addresses lie in networks that should never be seen there. */
  readonly inside: number;
  /** WireGuard transport messages: type 4, three zero octets (WireGuard paper, 5.4.6). */
  readonly encrypted: number;
}

/** startCapture begins to record in a place, and returns when nothing is missed any more. */
export async function startCapture(place: Place, name: string): Promise<Capture> {
  const file = join(place.run.folder, `${name}.pcap`);
  const script = fileURLToPath(new URL("./capture-process.ts", import.meta.url));
  const lastWord = randomBytes(8).toString("hex"); // sixteen octets, the most that ping takes as a pattern
  const job = await spawnIn(place, name, [process.execPath, script, file, lastWord]);
  await waitForLine(job, (line) => line === "ready");
  const stop = async (): Promise<readonly Frame[]> => {
    // The last word goes through the same queue as everything before it, so nothing is cut off.
    const pattern = Buffer.from(lastWord).toString("hex");
    await mustExec(place, ["ping", "-c", "1", "-p", pattern, "127.0.0.1"]);
    if ((await endOf(job)) !== 0) throw new Error(`${name}: ${(await linesOf(job)).join("\n")}`);
    return parsePcap(await readFile(file));
  };
  return { file, stop };
}

/** readFrames counts what frames give away: a text, and addresses of the networks named. */
export function readFrames(frames: readonly Frame[], marker: string, networks: readonly Cidr[]): Reading {
  const isInside = ({ ip }: Frame): boolean =>
    ip !== undefined && networks.some((network) => contains(network, ip.source) || contains(network, ip.target));
  return {
    frames: frames.length,
    withMarker: frames.filter((frame) => Buffer.from(frame.bytes).includes(marker)).length,
    inside: frames.filter(isInside).length,
    encrypted: frames.filter(({ udp }) => udp !== undefined && isTransport(udp)).length,
  };
}

/** A transport message has a header of 16 octets and a tag of 16 at least. */
function isTransport(payload: Uint8Array): boolean {
  return payload.length >= 32 && payload[0] === 4 && payload[1] === 0 && payload[2] === 0 && payload[3] === 0;
}
