import type { DnsBench } from "./dns-bench.ts";
import { answerOf, type Contender } from "./dns-contender.ts";
import type { ContenderName } from "./dns-stand.ts";
import { serviceName } from "./dns-workload.ts";

/** agree asks every contender for every name before anything is measured, and fails where one answers otherwise than
 *  the first: owner, lifetime, type and data of every record of the answer. */
export async function agree(bench: DnsBench): Promise<string> {
  const names = bench.present(["ours", "ours-dgram", "coredns", "coredns-bare", "nsd", "dns2"]);
  const texts: [ContenderName, readonly string[]][] = [];
  for (const name of names) texts.push([name, await answersOf(bench, await bench.stand.up(name, bench.services))]);
  const [[, first] = ["", []]] = texts;
  for (const [name, answers] of texts) {
    const at = answers.findIndex((answer, i) => answer !== first[i]);
    if (at >= 0) throw new Error(`${name} answers ${serviceName(at)} by ${answers[at]}, not by ${first[at]}`);
  }
  return `${first.length} names, the same answers from ${names.join(", ")}`;
}

async function answersOf({ ask, services }: DnsBench, { port }: Contender): Promise<readonly string[]> {
  const texts: string[] = [];
  const count = ask.quick ? 20 : services;
  for (let i = 0; i < count; i++) {
    const records = await answerOf(port, serviceName(i), "A", ask.signal);
    texts.push((records ?? []).map(({ name, ttl, type, data }) => `${name} ${ttl} ${type} ${data}`).join("; "));
  }
  return texts;
}

/** absences says which peers are not here. */
export function absences(absent: ReadonlyMap<ContenderName, string>): readonly string[] {
  return [...absent].map(([name, why]) => `SKIPPED ${name}: ${why}`);
}
