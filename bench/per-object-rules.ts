import { describeFault, runCommand } from "#life";

/** One rule per object, kept as Submariner's GlobalNet keeps them (packetfilter/nftables, AppendUnique): every append
 *  first lists the whole chain by a call of `nft`, compares the comments, and then adds one rule by another call. */

const TABLE = "per-object";
const CHAIN = "ingress";

/** resetChain makes the table with so many rules in it, at once: how they got there is not what is measured. */
export async function resetChain(enter: readonly string[], rules: number): Promise<void> {
  const lines = Array.from({ length: rules }, (_, i) => `add rule ip ${TABLE} ${CHAIN} ${ruleOf(i).join(" ")}`);
  const table = [`table ip ${TABLE}`, `delete table ip ${TABLE}`, `table ip ${TABLE} {`, `  chain ${CHAIN} {`];
  const hook = "    type nat hook prerouting priority dstnat; policy accept;";
  await nft(enter, ["-f", "-"], [...table, hook, "  }", "}", ...lines, ""].join("\n"));
}

/** appendIfMissing adds the rule of one object unless it is there. */
export async function appendIfMissing(enter: readonly string[], index: number): Promise<void> {
  const listed = await nft(enter, ["-a", "list", "chain", "ip", TABLE, CHAIN]);
  if (listed.split("\n").some((line) => line.includes(`comment "${commentOf(index)}"`))) return;
  await nft(enter, ["add", "rule", "ip", TABLE, CHAIN, ...ruleOf(index)]);
}

/** globalOf and localOf are the two addresses of an object: 242.1.x.y for the pod 10.244.x.y. */
export const globalOf = (index: number): string => `242.1.${(index >> 8) & 255}.${index & 255}`;
export const localOf = (index: number): string => `10.244.${(index >> 8) & 255}.${index & 255}`;

function ruleOf(index: number): readonly string[] {
  return ["ip", "daddr", globalOf(index), "dnat", "to", localOf(index), "comment", `"${commentOf(index)}"`];
}

const commentOf = (index: number): string => `object-${index}`;

async function nft(enter: readonly string[], args: readonly string[], stdin?: string): Promise<string> {
  const said = await runCommand([...enter, "nft", ...args], stdin === undefined ? {} : { stdin });
  if (!said.ok) throw new Error(describeFault(said.error));
  return said.value;
}
