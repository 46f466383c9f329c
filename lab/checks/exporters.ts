import { err, ok, type Result } from "#values";
import { get } from "../ask.ts";
import { eventually } from "../eventually.ts";
import type { Place } from "../place.ts";
import { take } from "./demand.ts";

/** Shares is how many of a number of connections each cluster answered. */
export type Shares = ReadonlyMap<string, number>;

/** checkExporters waits until connections to one URL are answered by each of the clusters named, and by no other.
 *  A fair coin leaves one side out of 24 throws once in eight million times. */
export async function checkExporters(
  from: Place,
  url: string,
  clusters: readonly string[],
  times = 24,
): Promise<Shares> {
  const wanted = clusters.toSorted().join(" ");
  const ask = async (): Promise<Result<Shares>> => {
    const answers = await get(from, url, times);
    if (!answers.ok) return answers;
    const shares = new Map<string, number>();
    for (const { cluster } of answers.value) shares.set(cluster, (shares.get(cluster) ?? 0) + 1);
    const seen = [...shares.keys()].toSorted().join(" ");
    return seen === wanted ? ok(shares) : err(`exporters: ${url} is answered by ${seen}, not by ${wanted}`);
  };
  return take(await eventually(ask));
}
