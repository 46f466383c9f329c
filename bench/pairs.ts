import { type Machine, machine, stealShare } from "./usage.ts";

/** More than this part of the CPU time stolen by the hypervisor makes a run worthless. */
const MOST_STEAL = 0.02;
/** Runs that are discarded are repeated, up to so many times as many runs as were asked for. */
const MOST_TRIES = 2;

/** Contenders are measured in turn; each call is one run. */
export interface PairsAsk<T> {
  readonly a: () => Promise<T>;
  readonly b: () => Promise<T>;
  readonly pairs: number;
  /** Every other pair is run in the other order: for contenders of which the second has it easier, whichever it is. */
  readonly turned?: boolean;
  /** Warm-up pairs that are thrown away; 1 unless told. */
  readonly warmUps?: number;
  readonly signal?: AbortSignal;
  /** How the machine is asked for its CPU time; for tests. */
  readonly look?: () => Promise<Machine>;
  /** Hears of each pair. */
  readonly say?: (text: string) => void;
}

/** Pairs is what was measured. */
export interface Pairs<T> {
  readonly kept: readonly { readonly a: T; readonly b: T }[];
  /** Pairs that were thrown away because the machine was taken from us meanwhile. */
  readonly discarded: number;
}

/** interleave measures A B A B …, so that whatever changes slowly on the machine meets both alike. A pair in which more
 *  than 2 % of the CPU time was stolen is measured again, as long as there is patience; after that what there is counts,
 *  and `discarded` says so. */
export async function interleave<T>(ask: PairsAsk<T>): Promise<Pairs<T>> {
  const { a, b, pairs, turned = false, warmUps = 1, signal, look = machine, say = () => {} } = ask;
  if (!(Number.isInteger(pairs) && pairs > 0))
    throw new RangeError(`pairs must be 1 or more: current value is ${pairs}`);
  for (let i = 0; i < warmUps; i++) {
    await a();
    await b();
  }
  const kept: { readonly a: T; readonly b: T }[] = [];
  let tries = 0;
  for (; kept.length < pairs && tries < pairs * MOST_TRIES; tries++) {
    signal?.throwIfAborted();
    const before = await look();
    const pair = turned && tries % 2 === 1 ? await backwards(ask) : { a: await a(), b: await b() };
    if (stealShare(before, await look()) > MOST_STEAL) continue;
    kept.push(pair);
    say(`pair ${kept.length} of ${pairs}`);
  }
  return { kept, discarded: tries - kept.length };
}

async function backwards<T>({ a, b }: PairsAsk<T>): Promise<{ readonly a: T; readonly b: T }> {
  const second = await b();
  return { a: await a(), b: second };
}
