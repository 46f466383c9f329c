import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BrokerUnderTest } from "../test/hostile/broker-under-test.ts";
import { brokerInStorm, clientInStorm, type StormFigures } from "../test/hostile/storm-figures.ts";
import type { Line, Proof } from "./line.ts";

const FIRST = 1000;
const ALL = 100_000;
/** What 99,000 further bad frames may cost. */
const MOST_MIB = 5;

/** keeps5: bad frames of every kind, each on a connection of its own, towards a broker and towards a gateway's client. */
export const keeps5: Line = {
  title: "100,000 oversized, truncated and garbage frames in each direction",
  required: "no crash; RSS at most 5 MiB above that after 1,000",
  run: (say) => proveStorm(FIRST, ALL, say),
};

/** proveStorm is the line with its counts. */
export async function proveStorm(first: number, all: number, say: (text: string) => void): Promise<Proof> {
  const dir = await mkdtemp(join(tmpdir(), "meridian-storm-"));
  try {
    say(`${all} bad frames to the client of a gateway`);
    const client = await clientInStorm(first, all);
    say(`${all} bad frames to a broker`);
    await using broker = await BrokerUnderTest.start(dir);
    return judge({ client, broker: await brokerInStorm(broker, first, all) });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** judge holds both directions to the same measure. */
export function judge(figures: { readonly client: StormFigures; readonly broker: StormFigures }): Proof {
  const sides = Object.entries(figures).map(([name, { firstMiB, lastMiB, alive, sent }]) => {
    const more = lastMiB - firstMiB;
    const text = `${name}: ${sent} frames, ${alive ? "alive" : "DEAD"}, RSS ${more >= 0 ? "+" : ""}${more.toFixed(1)} MiB`;
    return {
      text,
      good: alive && more <= MOST_MIB,
      detail: `${name}: ${firstMiB.toFixed(1)}, then ${lastMiB.toFixed(1)} MiB`,
    };
  });
  return {
    measured: sides.map(({ text }) => text).join("; "),
    holds: sides.every(({ good }) => good),
    details: sides.map(({ detail }) => detail),
  };
}
