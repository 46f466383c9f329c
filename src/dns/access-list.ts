import { type Cidr, cidrParts, type Ip, ipBytes } from "#values";
import type { AclRule } from "./corefile-plan.ts";
import { labelOctets } from "./wire-name.ts";

/** ACCESS is what an access list says of a query, in the order of its counters. */
export const ACCESS = { block: 0, filter: 1, drop: 2, allow: 3 } as const;
export type Access = (typeof ACCESS)[keyof typeof ACCESS];

interface Rule {
  readonly action: Access;
  /** Folded names with the root; none: everything. */
  readonly zones: readonly Uint8Array[];
  readonly types: readonly number[];
  readonly nets: readonly { readonly address: Uint8Array; readonly bits: number }[];
}

/** Question is what of a query an access list looks at. */
export interface AccessQuestion {
  readonly type: number;
  readonly labels: number;
  readonly labelAt: ArrayLike<number>;
}

/** AccessList decides who may ask what: the first rule that matches, and without a match it is allowed (CoreDNS's acl).
 *  It allocates nothing per query. */
export class AccessList {
  readonly #rules: readonly Rule[];

  constructor(rules: readonly AclRule[]) {
    this.#rules = rules.map(({ action, zones, types, nets }) => ({
      action: ACCESS[action],
      zones: zones.map((zone) => Uint8Array.from([...(labelOctets(zone === "" ? [] : zone.split(".")) ?? []), 0])),
      types,
      nets: nets.map(netOf),
    }));
  }

  /** judge looks at a question read from the message at `at`, asked by the address at `fromAt`. */
  judge(
    octets: Uint8Array,
    at: number,
    question: AccessQuestion,
    from: Uint8Array,
    fromAt: number,
    fromLength: number,
  ): Access {
    for (let i = 0; i < this.#rules.length; i++) {
      const rule = this.#rules[i] as Rule;
      if (rule.types.length > 0 && !rule.types.includes(question.type)) continue;
      if (rule.nets.length > 0 && !isFrom(rule, from, fromAt, fromLength)) continue;
      if (rule.zones.length > 0 && !isBelow(rule, octets, at, question)) continue;
      return rule.action;
    }
    return ACCESS.allow;
  }
}

function netOf(cidr: Cidr): Rule["nets"][number] {
  return { address: ipBytes(cidr.split("/")[0] as Ip), bits: cidrParts(cidr).length };
}

function isFrom({ nets }: Rule, from: Uint8Array, fromAt: number, fromLength: number): boolean {
  for (let i = 0; i < nets.length; i++) {
    const { address, bits } = nets[i] as Rule["nets"][number];
    if (address.length === fromLength && samePrefix(address, from, fromAt, bits)) return true;
  }
  return false;
}

function samePrefix(a: Uint8Array, b: Uint8Array, bAt: number, bits: number): boolean {
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (a[i] !== b[bAt + i]) return false;
  const rest = bits & 7;
  return rest === 0 || ((a[whole] as number) ^ (b[bAt + whole] as number)) >> (8 - rest) === 0;
}

/** isBelow compares a name's last octets with a zone's, where a label begins. */
function isBelow({ zones }: Rule, octets: Uint8Array, at: number, { labels, labelAt }: AccessQuestion): boolean {
  const end = (labelAt[labels] as number) + 1;
  for (let i = 0; i < zones.length; i++) {
    const zone = zones[i] as Uint8Array;
    const start = end - zone.length;
    for (let label = 0; label <= labels; label++) {
      if (labelAt[label] === start && sameZone(octets, at + start, zone)) return true;
    }
  }
  return false;
}

function sameZone(octets: Uint8Array, at: number, zone: Uint8Array): boolean {
  for (let i = 0; i < zone.length; i++) {
    const octet = octets[at + i] as number;
    const folded = octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet;
    if (folded !== zone[i]) return false;
  }
  return true;
}
