import { HEADER, TYPE } from "./iana.ts";
import { addressOctets, addressSets, RrWriter, rrSet, TO_QUESTION } from "./rr-writer.ts";
import type { RrSet, Unit } from "./unit.ts";
import { concat, labelOctets } from "./wire-name.ts";
import type { ZoneShape } from "./zone.ts";

const DNS_VERSION_TTL = 28_800;
/** The schema of the multicluster DNS specification, section 2.2. */
const DNS_VERSION = "1.0.0";

/** fixedUnits makes the names that every zone has: the apex with NS and glue (its SOA is made per reply), `ns.dns`,
 *  `dns-version`, and the empty non-terminals `svc`, `dns` and `pod` (below `pod` nothing exists). */
export function fixedUnits(shape: ZoneShape): readonly Unit[] {
  const version = new RrWriter();
  const text = Buffer.from(DNS_VERSION, "latin1");
  version.begin(TO_QUESTION, TYPE.TXT, DNS_VERSION_TTL, text.length + 1);
  version.octets(concat(Uint8Array.of(text.length), text));
  return [
    unit([], [nameServer(shape)]),
    unit(["dns-version"], [rrSet(TYPE.TXT, version)]),
    unit(["ns", "dns"], addressSets(addressOctets(shape.serverAddresses), shape.ttl)),
    unit(["svc"], []),
    unit(["dns"], []),
    unit(["pod"], []),
  ];
}

/** namespaceUnit is the empty non-terminal of a namespace that exists. */
export function namespaceUnit(namespace: string): Unit | undefined {
  const key = labelOctets([namespace, "svc"]);
  return key === undefined ? undefined : { key, names: [{ key: new Uint8Array(0), sets: [] }] };
}

function unit(labels: readonly string[], sets: readonly RrSet[]): Unit {
  const key = labelOctets(labels) ?? new Uint8Array(0);
  return { key, names: [{ key: new Uint8Array(0), sets }] };
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
