import type { Cidr } from "#values";
import { type Reading, readFrames, startCapture } from "../capture.ts";
import { firstNode } from "../cluster.ts";
import { mustExec } from "../exec.ts";
import { POD_CIDR, type Scene, SERVICE_CIDR } from "../scene.ts";
import { UNDERLAY_ADDRESS } from "../underlay.ts";
import { demand } from "./demand.ts";

/** Sixteen octets, the most that ping takes as a pattern. */
const CONTROL = "sent-in-the-open";

/** checkSealed records everything between the nodes while something happens, and looks for what should not be seen: a
 *  text that all pods send, and packets with pod, service or global addresses. `supernet` is the clusterset's.
 *  The capture proves itself by a text that it has to see. */
export async function checkSealed(scene: Scene, supernet: Cidr, during: () => Promise<unknown>): Promise<Reading> {
  const capture = await startCapture(scene.underlay, "underlay-capture");
  await during();
  await pingInClear(scene, CONTROL);
  const frames = await capture.stop();
  const sees = readFrames(frames, CONTROL, []).withMarker > 0;
  demand(sees, "sealed: the capture sees what is sent in clear between two nodes");
  const sealed = frames.filter((frame) => !Buffer.from(frame.bytes).includes(CONTROL));
  const reading = readFrames(sealed, scene.marker, [POD_CIDR, SERVICE_CIDR, supernet]);
  demand(reading.withMarker === 0, `sealed: the text of a page stands readable in ${reading.withMarker} frames`);
  demand(reading.inside === 0, `sealed: ${reading.inside} packets show an address of a pod, a Service or the supernet`);
  demand(reading.encrypted > 0, "sealed: WireGuard packets pass while a page is fetched");
  return reading;
}

/** A ping is filled with the text, at most 16 octets of it. */
async function pingInClear({ clusters }: Scene, text: string): Promise<void> {
  const pattern = Buffer.from(text).toString("hex");
  await mustExec(firstNode(clusters.amber), ["ping", "-c", "1", "-W", "2", "-p", pattern, UNDERLAY_ADDRESS]);
}
