import { HEADER, TYPE } from "./iana.ts";
import { MAX_LABEL, MAX_NAME } from "./wire-name.ts";

/** Octets of record data before the names in it, and how many names there are. */
const NAMES_IN_DATA: Readonly<Record<number, readonly [before: number, names: number]>> = {
  [TYPE.NS]: [0, 1],
  [TYPE.CNAME]: [0, 1],
  [TYPE.SOA]: [0, 2],
  [TYPE.PTR]: [0, 1],
  [TYPE.MX]: [2, 1],
  [TYPE.SRV]: [6, 1],
};
const RR_FIXED = 10;
const MIN_RR = 1 + RR_FIXED;

/** isSoundMessage reports whether a whole message can be walked: its counts fit its length, every record lies in it,
 *  and every pointer goes strictly backwards, so no decoder can be led in circles. Ask before decoding what a
 *  stranger sent. */
export function isSoundMessage(message: Uint8Array): boolean {
  if (message.length < HEADER) return false;
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  const questions = view.getUint16(4);
  const records = view.getUint16(6) + view.getUint16(8) + view.getUint16(10);
  if (questions * 5 + records * MIN_RR > message.length - HEADER) return false;
  let at = HEADER;
  for (let i = 0; i < questions; i++) {
    at = nameEnd(message, at) + 4;
    if (Number.isNaN(at) || at > message.length) return false;
  }
  for (let i = 0; i < records; i++) {
    at = recordEnd(message, view, at);
    if (Number.isNaN(at)) return false;
  }
  return true;
}

/** recordEnd is the place behind a record, NaN where there is none: names in its data end within it. */
function recordEnd(message: Uint8Array, view: DataView, start: number): number {
  const at = nameEnd(message, start);
  if (Number.isNaN(at) || at + RR_FIXED > message.length) return Number.NaN;
  const end = at + RR_FIXED + view.getUint16(at + 8);
  if (end > message.length) return Number.NaN;
  const [before, names] = NAMES_IN_DATA[view.getUint16(at)] ?? [0, 0];
  let place = at + RR_FIXED + before;
  for (let i = 0; i < names; i++) place = nameEnd(message, place);
  return place <= end || names === 0 ? end : Number.NaN;
}

/** nameEnd is the place behind a name, NaN where the name is none. It follows pointers, each further back than the
 *  piece it ends, and counts the octets of the whole name: both bound the walk. */
function nameEnd(message: Uint8Array, start: number): number {
  let end: number | undefined;
  let piece = start;
  let place = start;
  let octets = 0;
  for (;;) {
    const length = message[place];
    if (length === undefined) return Number.NaN;
    if (length === 0) return octets + 1 <= MAX_NAME ? (end ?? place + 1) : Number.NaN;
    if (length <= MAX_LABEL) {
      octets += length + 1;
      place += length + 1;
      if (octets >= MAX_NAME) return Number.NaN;
      continue;
    }
    const target = ((length & 0x3f) << 8) | (message[place + 1] ?? 0);
    if (length < 0xc0 || place + 1 >= message.length || target >= piece || target < HEADER) return Number.NaN;
    end ??= place + 2;
    piece = target;
    place = target;
  }
}
