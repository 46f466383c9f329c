import { slices } from "#life";
import type { TableShape } from "./render.ts";
import { CLASSES, type Class, sizeOf } from "./service-class.ts";
import { protocolOf } from "./service-entry.ts";
import type { ServiceState } from "./state.ts";

/** FoundServices is the service table as a listing shows it. */
export interface FoundServices {
  readonly shape: TableShape;
  readonly entries: ReadonlyMap<string, ServiceState>;
}

/** One match per thing that counts, wherever nft breaks its lines: the comment, a map's head, a rule, an element. */
const TOKEN =
  /comment "(?<digest>\w*)"|map (?<map>\w+) \{|(?<rule>dnat ip |vmap @)|(?<address>\d+\.\d+\.\d+\.\d+) \. (?<protocol>\w+) \. (?<port>\d+)(?: \. (?<bucket>\w+))? : (?:goto (?<chain>\w+)|(?<to>\d+\.\d+\.\d+\.\d+ \. \d+))/g;

/** What was found of one service: its verdict, and elements by the number of buckets of their map. */
interface Found {
  chain?: Class;
  readonly maps: Map<number, Map<number, string>>;
}

/** readServices reads `nft -n list table ip meridian-services`, in slices: 10,000 services are megabytes of text.
 *  What does not belong together is kept as it is found, for plan to put right. */
export async function readServices(listing: string, signal?: AbortSignal): Promise<FoundServices> {
  const found = new Map<string, Found>();
  let digest = "";
  let rules = 0;
  let size = 0;
  // A listing names the map before its elements; the verdict map's name has no number, and needs none.
  const take = ({ groups = {} }: RegExpExecArray): void => {
    if (groups["map"] !== undefined) size = Number(groups["map"].slice(1));
    else if (groups["rule"] !== undefined) rules += 1;
    else if (groups["address"] !== undefined) takeElement(found, size, groups);
    else digest = groups["digest"] ?? "";
  };
  const options = signal === undefined ? {} : { signal };
  await slices(listing.matchAll(TOKEN), take, options);
  const entries = new Map<string, ServiceState>();
  await slices(found, ([key, one]) => entries.set(key, stateOf(one)), options);
  return { shape: { digest, rules }, entries };
}

/** takeElement notes one element. A verdict to a chain that is not ours counts as none. */
function takeElement(found: Map<string, Found>, size: number, groups: Record<string, string | undefined>): void {
  const { address, protocol = "", port, bucket = "0", chain, to = "" } = groups;
  const key = `${address} ${protocolOf(protocol) ?? protocol} ${port}`;
  const one: Found = found.get(key) ?? { maps: new Map() };
  found.set(key, one);
  if (chain !== undefined) {
    const known = CLASSES.find((name) => name === chain);
    if (known !== undefined) one.chain = known;
    return;
  }
  const elements = one.maps.get(size) ?? new Map<number, string>();
  one.maps.set(size, elements.set(Number(bucket), to));
}

/** stateOf sorts what belongs to the service's class from what does not. */
function stateOf({ chain, maps }: Found): ServiceState {
  const own = chain === undefined ? 0 : sizeOf(chain);
  const buckets = Array.from({ length: own }, (_, i) => maps.get(own)?.get(i));
  const strays = [...maps].flatMap(([size, elements]) =>
    [...elements.keys()].filter((i) => size !== own || i >= own).map((i) => [size, i] as const),
  );
  return { entry: undefined, chain, buckets, strays };
}
