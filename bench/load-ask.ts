/** LoadAsk is what the load generator is to do, as JSON in its one argument. */
export interface LoadAsk {
  readonly host: string;
  readonly port: number;
  /** File of queries: two octets of length, then the message, again and again. All are asked in turn. */
  readonly queries: string;
  /** UDP sockets, each with a port of its own. */
  readonly sockets: number;
  /** Time that is measured, and time before it that is not. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly mode: LoadMode;
  /** Starts the gaps between queries. */
  readonly seed: number;
  /** Processes whose CPU time over the measured time is wanted: the servers, with the children they have. */
  readonly pids: readonly number[];
  /** Every n-th query is the first of the file, for a name whose address counts up: when each address was seen first is
   *  then part of the result. 0: no such query. */
  readonly canaryEvery?: number;
}

/** LoadMode: *open* sends at a rate (queries a second, at random moments) whatever the server does, as strangers do;
 *  *closed* keeps a number of queries under way, which finds the most that a server can do. */
export type LoadMode =
  | { readonly kind: "open"; readonly rate: number }
  | { readonly kind: "closed"; readonly outstanding: number };

/** LoadResult is what was seen in the measured time. Latencies are in microseconds, from the moment a query was due to
 *  be sent, so that a generator or a server that falls behind cannot hide it. */
export interface LoadResult {
  readonly sent: number;
  readonly answered: number;
  /** Answers that were not NOERROR with a record. */
  readonly wrong: number;
  /** Queries without an answer a second after the end. */
  readonly lost: number;
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly maxUs: number;
  /** How late queries were sent, 99th percentile. */
  readonly lagP99Us: number;
  /** Part of the time in which the generator found nothing to do. Near 0, it is itself the limit. */
  readonly idleShare: number;
  /** CPU seconds of the processes over the measured time, and what the kernel's own thread for packets on CPU 0 used. */
  readonly cpuSeconds: number;
  readonly softirqSeconds: number;
  readonly seconds: number;
  /** The canary's addresses as numbers, and when each was seen first, in milliseconds of CLOCK_MONOTONIC. */
  readonly canary: readonly (readonly [address: number, atMs: number])[];
}

/** Below this idle share in closed mode, or above this lag in open mode, a figure says more of the generator than of the
 *  server. */
const LEAST_IDLE = 0.03;
const MOST_LAG_US = 500;

/** generatorLimited reports whether the generator itself was what limited a run. */
export function generatorLimited(ask: Pick<LoadAsk, "mode">, result: LoadResult): boolean {
  if (ask.mode.kind === "closed") return result.idleShare < LEAST_IDLE;
  return result.lagP99Us > MOST_LAG_US;
}
