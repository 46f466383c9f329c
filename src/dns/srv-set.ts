import { HEADER, TYPE } from "./iana.ts";
import { MAX_POINTER, RrWriter, rrSet, TO_QUESTION } from "./rr-writer.ts";
import type { RrSet } from "./unit.ts";
import { latin1 } from "./wire-name.ts";

/** SrvTarget is one record to be: a port at a target. */
export interface SrvTarget {
  /** The whole folded name with the root. RFC 2782 forbids its compression. */
  readonly target: Uint8Array;
  readonly port: number;
  /** What the target resolves to, for the Additional section. */
  readonly addresses: readonly Uint8Array[];
}

/** Owner, type, class, TTL, RDLENGTH, then priority, weight and port come before a target. */
const BEFORE_TARGET = 18;

/** srvSet makes the SRV records at a name. Priority is 0; the weight is an equal share of 100 among `candidates`,
 *  the (address, port) pairs before de-duplication, and at least 1: as CoreDNS does.
 *  `nameLength` is the question name's length with the root; no more than `room` octets of records are made. */
export function srvSet(
  targets: readonly SrvTarget[],
  { ttl, nameLength, room }: { readonly ttl: number; readonly nameLength: number; readonly room: number },
): RrSet | undefined {
  const candidates = targets.reduce((sum, { addresses }) => sum + addresses.length, 0);
  const weight = Math.max(1, Math.floor(100 / Math.max(1, candidates)));
  const answer = new RrWriter();
  const seen = new Set<string>();
  const places = new Map<Uint8Array, { readonly at: number; readonly addresses: readonly Uint8Array[] }>();
  for (const { target, port, addresses } of targets) {
    const key = targets.length === 1 ? "" : `${port} ${latin1(target)}`; // a service with one port is the usual one
    if (seen.has(key) || answer.length + BEFORE_TARGET + target.length > room) continue;
    seen.add(key);
    const at = HEADER + nameLength + 4 + answer.length + BEFORE_TARGET;
    if (!places.has(target)) places.set(target, { at, addresses });
    answer
      .begin(TO_QUESTION, TYPE.SRV, ttl, 6 + target.length)
      .u16(0)
      .u16(weight)
      .u16(port)
      .octets(target);
  }
  if (answer.count === 0) return undefined;
  return rrSet(TYPE.SRV, answer, glue([...places.values()], ttl));
}

/** glue is the targets' addresses, owned by pointers to the targets in the answer; all of them or none. */
function glue(
  places: readonly { readonly at: number; readonly addresses: readonly Uint8Array[] }[],
  ttl: number,
): RrWriter | undefined {
  if (places.some(({ at }) => at > MAX_POINTER)) return undefined;
  const writer = new RrWriter();
  for (const { at, addresses } of places) for (const address of addresses) writer.address(0xc000 | at, ttl, address);
  return writer;
}
