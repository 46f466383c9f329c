import { type Cidr, cidrParts, type Uid } from "#values";
import { type Envelope, type GrantBody, grantBody, parseBody } from "#wire";

/** Acknowledged is what a member was told: a prefix that it has from then on, until it was told that it left. */
export interface Acknowledged {
  readonly cluster: string;
  readonly uid: Uid;
  readonly prefix: Cidr;
  readonly left: boolean;
}

interface Range {
  readonly prefix: Cidr;
  readonly owner: string;
  readonly from: bigint;
  readonly to: bigint;
}

/** faultsInLog reads a broker's log of grants from its beginning, one number after the other, and says everything that
 *  must never be in it. It knows nothing of the program's own fold:
 *  - at no number do two live prefixes share an address, whoever has them
 *  - whoever was told that it joined was granted that prefix, once; and has it at the end unless it left
 *  - who left has nothing */
export function faultsInLog(records: readonly Envelope[], told: readonly Acknowledged[]): readonly string[] {
  const faults: string[] = [];
  const live: Range[] = [];
  const everGranted = new Map<string, number>();
  for (const body of bodiesOf(records)) {
    for (const entry of body.entries) {
      if (entry.kind === "release") {
        const at = live.findIndex(({ prefix }) => prefix === entry.prefix);
        if (at !== -1) live.splice(at, 1);
      } else if (entry.kind === "pods" || entry.kind === "nodes") {
        const range = rangeOf(entry.prefix, `${entry.cluster} ${entry.uid}`);
        const other = live.find(({ from, to }) => from < range.to && range.from < to);
        if (other !== undefined)
          faults.push(
            `grant ${body.number}: ${range.prefix} of ${range.owner} overlaps ${other.prefix} of ${other.owner}`,
          );
        live.push(range);
        const key = `${entry.kind} ${range.owner}`;
        everGranted.set(key, (everGranted.get(key) ?? 0) + 1);
      }
    }
  }
  return [...faults, ...faultsOf(told, live, everGranted)];
}

function faultsOf(
  told: readonly Acknowledged[],
  live: readonly Range[],
  granted: ReadonlyMap<string, number>,
): readonly string[] {
  const faults: string[] = [];
  for (const { cluster, uid, prefix, left } of told) {
    const owner = `${cluster} ${uid}`;
    const times = granted.get(`pods ${owner}`) ?? 0;
    if (times !== 1) faults.push(`${cluster} was granted pods ${times} times`);
    const has = live.some((range) => range.owner === owner && range.prefix === prefix);
    if (!left && !has) faults.push(`${cluster} was told ${prefix}, and does not have it`);
    if (left && live.some((range) => range.owner === owner)) faults.push(`${cluster} left, and has something still`);
  }
  return faults;
}

function bodiesOf(records: readonly Envelope[]): readonly GrantBody[] {
  const bodies = records.flatMap(({ key, body }) => {
    const parsed = key.startsWith("grant/") ? parseBody(grantBody, body) : undefined;
    return parsed?.ok === true ? [parsed.value] : [];
  });
  return bodies.sort((a, b) => a.number - b.number);
}

function rangeOf(prefix: Cidr, owner: string): Range {
  const { base, length } = cidrParts(prefix);
  return { prefix, owner, from: base, to: base + (1n << BigInt(32 - length)) };
}
