import type { Cidr } from "#values";
import type { Chain } from "./base-chains.ts";
import { chainLines, digestOf, replaceTable, type TableShape } from "./render.ts";
import { CLASSES, type Class, MAP_SIZES, sizeOf } from "./service-class.ts";

/** The service table: a table of its own, so that neither it nor the base table is lost when the other is replaced. */
export const SERVICE_TABLE = "meridian-services";
/** The verdict map: (address, protocol, port) to the chain of a class. */
export const VERDICTS = "svc";

/** A fixed seed: the kernel would draw one per rule, and every restart would break affinity. */
const SEED = "0x6d726430";
const KEY = "ip daddr . meta l4proto . th dport";

/** mapOf is the map that holds the endpoints of services with so many buckets: `b1`, `b128`. */
export function mapOf(buckets: number): string {
  return `b${buckets}`;
}

/** renderServiceTable is the table without a service, as one transaction. A service is one element of `svc`, and one
 *  element of its class's map per bucket: (address, protocol, port, bucket) to (endpoint, port). The lookup costs the
 *  same however many services there are. */
export function renderServiceTable(servicePrefix: Cidr): string {
  return replaceTable(SERVICE_TABLE, serviceShape(servicePrefix).digest, serviceLines(servicePrefix));
}

/** serviceShape is the shape of the service table. */
export function serviceShape(servicePrefix: Cidr): TableShape {
  return { digest: digestOf(serviceLines(servicePrefix)), rules: CLASSES.length + 2 };
}

function serviceLines(servicePrefix: Cidr): readonly string[] {
  const rules = [`ip daddr ${servicePrefix} ${KEY} vmap @${VERDICTS}`];
  const entries: readonly Chain[] = [
    { name: "dnat-in", type: "nat", hook: "prerouting", priority: -110, rules },
    { name: "dnat-out", type: "nat", hook: "output", priority: -110, rules },
  ];
  return [
    `map ${VERDICTS} { type ipv4_addr . inet_proto . inet_service : verdict; }`,
    ...MAP_SIZES.map(mapLine),
    ...CLASSES.map(
      (name) => `chain ${name} { dnat ip addr . port to ${KEY}${draw(name)} map @${mapOf(sizeOf(name))}; }`,
    ),
    ...entries.flatMap(chainLines),
  ];
}

/** The type of a bucket is that of `numgen` for both kinds of class: nft 1.0.6 crashes when it lists `typeof jhash`. */
function mapLine(size: number): string {
  const bucket = size === 1 ? "" : ` . numgen random mod ${size}`;
  return `map ${mapOf(size)} { typeof ${KEY}${bucket} : ip daddr . th dport; }`;
}

function draw(name: Class): string {
  const size = sizeOf(name);
  if (size === 1) return "";
  return name.startsWith("h") ? ` . jhash ip saddr mod ${size} seed ${SEED}` : ` . numgen random mod ${size}`;
}
