import { err, ok, type Result } from "#values";

/** MAX_NAME is the longest name in octets, root included; MAX_LABEL the longest label (RFC 1035 section 2.3.4). */
export const MAX_NAME = 255;
export const MAX_LABEL = 63;

const DOT = 0x2e;

/** FOLD maps an octet to its lower case, in ASCII alone (RFC 4343): names are octets, so no other letter has a case.
 *  Length octets are below `A`, so a whole encoded name may be folded. */
export const FOLD: Readonly<Uint8Array> = Uint8Array.from({ length: 256 }, (_, octet) =>
  octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet,
);

/** labelOctets encodes labels in order, folded, without the root. Undefined where a label is empty, longer than
 *  63 octets, not ASCII, or has a dot, so that its text would be two: such a name is left out of the zone, and nothing else fails because of it. */
export function labelOctets(labels: readonly string[]): Uint8Array | undefined {
  let length = 0;
  for (const label of labels) {
    if (label.length === 0 || label.length > MAX_LABEL) return undefined;
    length += label.length + 1;
  }
  const octets = new Uint8Array(length);
  let at = 0;
  for (const label of labels) {
    octets[at++] = label.length;
    for (let i = 0; i < label.length; i++) {
      const code = label.charCodeAt(i);
      if (code > 0x7f || code === DOT) return undefined;
      octets[at++] = FOLD[code] ?? 0;
    }
  }
  return octets;
}

/** concat joins octets. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** latin1 is octets as a string of the same length, to be the key of a Map. */
export function latin1(octets: Uint8Array): string {
  if (octets.length > 64) return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString("latin1");
  return String.fromCharCode.apply(null, octets as unknown as number[]); // takes whatever is like an array
}

/** encodeName turns presentation form into octets with the root, keeping case: `web.shop.svc.clusterset.local`, with
 *  `\.` and `\046` for octets that a label may hold but text cannot show (RFC 1035 section 5.1). */
export function encodeName(text: string): Result<Uint8Array> {
  if (text === "." || text === "") return ok(Uint8Array.of(0));
  const labels = splitLabels(text.endsWith(".") && !text.endsWith("\\.") ? text.slice(0, -1) : text);
  if (labels === undefined) return err(`not a domain name: ${JSON.stringify(text.slice(0, 80))}`);
  if (labels.some((label) => label.length === 0)) return err(`a label is empty: ${JSON.stringify(text.slice(0, 80))}`);
  if (labels.some((label) => label.length > MAX_LABEL)) return err(`a label is at most ${MAX_LABEL} octets`);
  const octets = concat(...labels.map((label) => concat(Uint8Array.of(label.length), label)), Uint8Array.of(0));
  return octets.length <= MAX_NAME
    ? ok(octets)
    : err(`a name is at most ${MAX_NAME} octets, this has ${octets.length}`);
}

/** splitLabels cuts at dots that are not escaped; undefined where an escape is none or a letter is no octet. */
function splitLabels(text: string): readonly Uint8Array[] | undefined {
  const labels: number[][] = [[]];
  for (const [piece] of text.matchAll(/\\\d{3}|\\[^\d]|[^\\]|\\/gs)) {
    const octet = piece.length === 4 ? Number(piece.slice(1)) : piece.charCodeAt(piece.length - 1);
    if (octet > 255 || piece === "\\") return undefined;
    if (piece === ".") labels.push([]);
    else labels.at(-1)?.push(octet);
  }
  return labels.map((label) => Uint8Array.from(label));
}
