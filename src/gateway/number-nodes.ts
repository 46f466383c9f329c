import { addressAt, type Cidr, cidrParts, contains, type Ip, type NodeName, offsetIn } from "#values";
import { nodeAddress } from "./compile-network.ts";

/** NumberedNode is a node of a member with its address in the supernet. */
export interface NumberedNode {
  readonly name: NodeName;
  readonly address: Ip;
}

export interface Numbering {
  /** The member's node prefix; its first places are the gateways', by their index. */
  readonly prefix: Cidr;
  readonly gateways: readonly { readonly name: NodeName; readonly index: number }[];
  /** Nodes without a gateway. */
  readonly others: Iterable<NodeName>;
  /** What was said last: a node keeps its place. */
  readonly before: readonly NumberedNode[];
}

/** Places of gateways: indices 0 to 7 and the network's own address. */
const FIRST = 9;

/** numberNodes gives each node of a member its global address: gateways by their index, the others where they were, or
 *  the first free place. What the prefix has no room for is left out. Gateways first, then by name. */
export function numberNodes({ prefix, gateways, others, before }: Numbering): readonly NumberedNode[] {
  const first = [...gateways].sort((a, b) => a.index - b.index);
  const named = new Set(first.map(({ name }) => name));
  const names = [...new Set(others)].filter((name) => !named.has(name)).sort();
  const kept = new Map(
    before.filter(({ address }) => isPlace(prefix, address)).map((node) => [node.name, node.address]),
  );
  const taken = new Set<Ip>(names.flatMap((name) => kept.get(name) ?? []));
  const free = freePlaces(prefix, taken);
  const numbered = names.flatMap((name): NumberedNode[] => {
    const address = kept.get(name) ?? free.next().value;
    return address === undefined ? [] : [{ name, address }];
  });
  return [...first.map(({ name, index }) => ({ name, address: nodeAddress(prefix, index) })), ...numbered];
}

/** The last address would be a broadcast one. */
function lastPlace(prefix: Cidr): number {
  return 2 ** (32 - cidrParts(prefix).length) - 2;
}

function* freePlaces(prefix: Cidr, taken: ReadonlySet<Ip>): Generator<Ip, undefined> {
  for (let place = FIRST; place <= lastPlace(prefix); place += 1) {
    const address = addressAt(prefix, BigInt(place));
    if (!taken.has(address)) yield address;
  }
}

/** isPlace reports whether an address is one that nodes without a gateway have. */
export function isPlace(prefix: Cidr, address: Ip): boolean {
  if (!contains(prefix, address)) return false;
  const place = Number(offsetIn(prefix, address));
  return place >= FIRST && place <= lastPlace(prefix);
}
