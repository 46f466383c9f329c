import { HEADER, TYPE } from "./iana.ts";
import { addressOctets, addressSets, RrWriter, rrSet, TO_QUESTION } from "./rr-writer.ts";
import type { RrSet, Unit } from "./unit.ts";
import { concat, labelOctets } from "./wire-name.ts";
import type { ZoneShape } from "./zone.ts";

const DNS_VERSION_TTL = 28_800;
/** The schema of the multicluster DNS specification, section 2.2. */
const DNS_VERSION = "1.0.0";

/** fixedUnits makes the names that every zone has: the apex with NS and glue (its SOA is made per reply), `ns.dns`
 *  and, but for reverse zones, `dns-version` and the empty non-terminals `svc` and `pod` (nothing exists below it). */
export function fixedUnits(shape: ZoneShape, reverse = false): readonly Unit[] {
  const { compat, serverAddresses, ttl } = shape;
  const units = compat.q5NoApexServer
    ? [unit(shape, [], [])]
    : [
        unit(shape, [], [nameServer(shape)]),
        unit(shape, ["dns"], []),
        unit(shape, ["ns", "dns"], addressSets(addressOctets(serverAddresses), ttl)),
      ];
  if (reverse) return units;
  return [...units, unit(shape, ["dns-version"], [version(shape)]), unit(shape, ["svc"], []), unit(shape, ["pod"], [])];
}

/** namespaceUnit is the empty non-terminal of a namespace that exists. */
export function namespaceUnit(shape: ZoneShape, namespace: string, kind: string): Unit | undefined {
  const key = labelOctets([namespace, kind]);
  return key === undefined ? undefined : { zone: shape.id, key, names: [{ key: new Uint8Array(0), sets: [] }] };
}

function unit({ id }: ZoneShape, labels: readonly string[], sets: readonly RrSet[]): Unit {
  return { zone: id, key: labelOctets(labels) ?? new Uint8Array(0), names: [{ key: new Uint8Array(0), sets }] };
}

function version({ compat }: ZoneShape): RrSet {
  const text = Buffer.from(compat.dnsVersion ?? DNS_VERSION, "latin1");
  const writer = new RrWriter().begin(TO_QUESTION, TYPE.TXT, DNS_VERSION_TTL, text.length + 1);
  return rrSet(TYPE.TXT, writer.octets(concat(Uint8Array.of(text.length), text)));
}

/** nameServer is the apex's NS, its target compressed against the question, and the target's addresses. */
function nameServer({ origin, ttl, serverAddresses }: ZoneShape): RrSet {
  const target = labelOctets(["ns", "dns"]) ?? new Uint8Array(0);
  const answer = new RrWriter();
  answer.begin(TO_QUESTION, TYPE.NS, ttl, target.length + 2);
  const targetAt = HEADER + origin.length + 4 + answer.length;
  answer.octets(target).u16(TO_QUESTION);
  const glue = new RrWriter();
  for (const address of addressOctets(serverAddresses)) glue.address(0xc000 | targetAt, ttl, address);
  return rrSet(TYPE.NS, answer, glue);
}
