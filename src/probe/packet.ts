import { err, ok, type Result } from "#values";
import { HEAD_HASH_BYTES, type PeerState } from "./peer-state.ts";

/** Packet is one probe or echo. The layout, numbers big-endian; a packet has exactly 72 octets, so that an answer is
 *  never larger than what asked for it (no amplification):
 *
 *      0  magic "MRDP"     4  version 1      5  kind: 1 probe, 2 echo     6  flags: 1 state, 2 prompt   7  zero
 *      8  cookie           16 seq            24 responder's own time in nanoseconds (echo; 0 in a probe)
 *     32  generation       40 epoch          48 seq of the head           56 head hash, 16 octets
 *
 *  Octets 32 to 71 are the sender's state; they are made and read apart, since they rarely change. */
export interface Packet {
  readonly kind: "probe" | "echo";
  /** Random per target and start, below 2^53: an echo is believed only with it, so nobody off the path can forge one. */
  readonly cookie: number;
  readonly seq: number;
  /** What the responder spent between the probe's arrival (the kernel's receive stamp where there is one) and its echo's
   *  send: the prober takes it out. */
  readonly heldNanos: number;
  /** Part of a benchmark: more follow back to back, so answer without delay. */
  readonly prompt: boolean;
}

export const PACKET_BYTES = 72;
export const STATE_BYTES = 40;
const MAGIC = 0x4d524450;
const VERSION = 1;
const KIND = { probe: 1, echo: 2 } as const;
const FLAG = { state: 1, prompt: 2 } as const;
const AT = { kind: 5, flags: 6, zero: 7, cookie: 8, seq: 16, held: 24, state: 32 } as const;

/** encodePacket writes all of a packet but its state over the first octets of a view. */
export function encodePacket(view: DataView, packet: Packet): void {
  view.setUint32(0, MAGIC);
  view.setUint8(4, VERSION);
  view.setUint8(AT.kind, KIND[packet.kind]);
  view.setUint8(AT.flags, packet.prompt ? FLAG.prompt : 0);
  view.setUint8(AT.zero, 0);
  setWhole(view, AT.cookie, packet.cookie);
  setWhole(view, AT.seq, packet.seq);
  setWhole(view, AT.held, packet.heldNanos);
}

/** decodePacket is total: any octets, `length` of them in the view, give a packet or the reason why they are none. */
export function decodePacket(
  view: DataView,
  length: number,
): Result<Packet, "length" | "magic" | "version" | "malformed"> {
  if (length !== PACKET_BYTES || view.byteLength < PACKET_BYTES) return err("length");
  if (view.getUint32(0) !== MAGIC) return err("magic");
  if (view.getUint8(4) !== VERSION) return err("version");
  const kind = view.getUint8(AT.kind);
  const flags = view.getUint8(AT.flags);
  const cookie = wholeAt(view, AT.cookie);
  const seq = wholeAt(view, AT.seq);
  const heldNanos = wholeAt(view, AT.held);
  if ((kind !== KIND.probe && kind !== KIND.echo) || flags > (FLAG.state | FLAG.prompt)) return err("malformed");
  if (view.getUint8(AT.zero) !== 0 || cookie < 0 || seq < 0 || heldNanos < 0) return err("malformed");
  const prompt = (flags & FLAG.prompt) !== 0;
  return ok({ kind: kind === KIND.probe ? "probe" : "echo", cookie, seq, heldNanos, prompt });
}

/** isPrompt reports whether a datagram of at least a packet's length says that it is part of a benchmark. */
export function isPrompt(view: DataView): boolean {
  return (view.getUint8(AT.flags) & FLAG.prompt) !== 0;
}

/** turnIntoEcho makes the answer out of a probe where it lies: cookie and seq stay. The state is set apart. */
export function turnIntoEcho(view: DataView): void {
  view.setUint8(AT.kind, KIND.echo);
}

/** stampHeld is the last thing before an echo leaves. */
export function stampHeld(view: DataView, heldNanos: number): void {
  setWhole(view, AT.held, Math.max(0, Math.round(heldNanos)));
}

/** encodeState makes the octets that every packet of ours carries from now on; null for no state. */
export function encodeState(state: PeerState): Uint8Array {
  const bytes = new Uint8Array(STATE_BYTES);
  const view = new DataView(bytes.buffer);
  setWhole(view, 0, state.generation);
  setWhole(view, 8, state.epoch);
  setWhole(view, 16, state.seq);
  bytes.set(Buffer.from(state.headHash, "hex").subarray(0, HEAD_HASH_BYTES), 24);
  return bytes;
}

/** setState writes such octets into a packet, or that there are none. */
export function setState(view: DataView, bytes: Uint8Array, state: Uint8Array | null): void {
  const others = view.getUint8(AT.flags) & ~FLAG.state;
  view.setUint8(AT.flags, state === null ? others : others | FLAG.state);
  if (state === null) bytes.fill(0, AT.state, PACKET_BYTES);
  else bytes.set(state, AT.state);
}

/** stateIn reads the sender's state from a packet that decodePacket accepted; null where it carries none. */
export function stateIn(view: DataView): PeerState | null {
  if ((view.getUint8(AT.flags) & FLAG.state) === 0) return null;
  const generation = wholeAt(view, AT.state);
  const epoch = wholeAt(view, AT.state + 8);
  const seq = wholeAt(view, AT.state + 16);
  if (generation < 0 || epoch < 0 || seq < 0) return null;
  const hash = Buffer.from(view.buffer, view.byteOffset + AT.state + 24, HEAD_HASH_BYTES);
  return { generation, epoch, seq, headHash: hash.toString("hex") };
}

/** Whole numbers are 64 bits on the wire and at most 2^53-1 in a number: without a bigint for every field. */
function setWhole(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / 0x1_0000_0000));
  view.setUint32(at + 4, value >>> 0);
}

/** wholeAt gives -1 for a number that is too large. */
function wholeAt(view: DataView, at: number): number {
  const high = view.getUint32(at);
  return high < 0x20_0000 ? high * 0x1_0000_0000 + view.getUint32(at + 4) : -1;
}
