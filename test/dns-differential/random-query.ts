import type { Oracle } from "./oracle.ts";
import type { Random } from "./random.ts";

export interface Query {
  /** With the origin, in whatever case. */
  readonly labels: readonly string[];
  readonly type: string;
  readonly class: number;
  /** Size that the asker takes, by EDNS; none: no EDNS. */
  readonly size: number | undefined;
}

const TYPES = ["A", "A", "A", "AAAA", "AAAA", "SRV", "SRV", "TXT", "NS", "SOA", "ANY", "MX", "HTTPS", "CNAME", "PTR"];
const SIZES = [undefined, undefined, 0, 512, 700, 1232, 4096, 65_535];
const STRAY = ["nothing", "_http", "_tcp", "svc", "*", "a.b", "l".repeat(63)];

/** randomQuery asks for a name of the zone, for one near it, or for one outside; in any case, type and size. */
export function randomQuery(random: Random, { origin, names: sets }: Oracle, names: readonly string[]): Query {
  const name = random.pick(names);
  const labels = [...near(random, name), ...(random.once(40) ? ["example", "org"] : origin.split("."))];
  return {
    labels: random.once(3) ? labels.map((label) => spelled(random, label)) : labels,
    type: random.pick(random.once(2) ? [...(sets.get(name)?.keys() ?? []), "A"] : [...TYPES, "TYPE666"]),
    class: random.once(60) ? 3 : 1,
    size: random.pick(SIZES),
  };
}

/** near is the name itself, or one with a label more, less, other or swapped. */
function near(random: Random, name: string): readonly string[] {
  const labels = name === "" ? [] : name.split(".");
  const at = random.below(labels.length + 1);
  switch (random.below(10)) {
    case 0:
      return [random.pick(STRAY), ...labels];
    case 1:
      return labels.slice(1);
    case 2:
      return labels.toSpliced(at, 1, random.pick(STRAY));
    case 3:
      return labels.toSpliced(at, 1, ...(labels[at] === undefined ? [] : [`${labels[at].slice(0, 40)}x`]));
    case 4:
      return labels.toReversed();
    default:
      return labels;
  }
}

function spelled(random: Random, label: string): string {
  return [...label].map((letter) => (random.once(2) ? letter.toUpperCase() : letter)).join("");
}
