import type { BenchAsk } from "./benchmark.ts";
import { queriesFor } from "./dns-rounds.ts";
import type { ContenderName, DnsStand } from "./dns-stand.ts";
import { shuffledNames } from "./dns-workload.ts";

/** DnsBench is what all parts of the benchmark of names share: where servers stand, and how long each is measured. */
export class DnsBench {
  readonly stand: DnsStand;
  readonly ask: BenchAsk;
  /** Services that every contender serves, unless a part says otherwise. */
  readonly services = 1000;
  readonly rounds: number;
  /** Of one run. */
  readonly seconds: number;

  constructor(stand: DnsStand, ask: BenchAsk) {
    this.stand = stand;
    this.ask = ask;
    this.rounds = ask.quick ? 1 : 5;
    this.seconds = ask.quick ? 0.4 : 2.5;
  }

  /** present leaves out the contenders that are not here. */
  present<K extends ContenderName>(names: readonly K[]): readonly K[] {
    return names.filter((name) => !this.stand.absent.has(name));
  }

  /** The queries for all services. */
  queries(): Promise<string> {
    return queriesFor(this.stand, shuffledNames(this.services));
  }
}
