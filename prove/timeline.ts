import { cpuSecondsOf, memoryOf, stampMs } from "../bench/index.ts";

/** Sample is what was seen at one moment. */
interface Sample {
  readonly atMs: number;
  /** CPU seconds so far, by process. */
  readonly cpu: readonly number[];
  readonly rssBytes: readonly number[];
  /** Whatever the caller counts, such as the broker's revision. */
  readonly count: number;
}

/** Timeline watches processes from outside, by /proc alone: it costs them nothing. */
export interface Timeline {
  /** stop ends it and gives a line with the CPU time of each process, then one line per interval. */
  stop(): Promise<readonly string[]>;
}

/** startTimeline samples some processes every so often. A process may appear later: its pid is asked for each time.
 *  `count` gives a number to stand beside. */
export function startTimeline(
  names: readonly string[],
  pidOf: (name: string) => Promise<number | undefined>,
  count: () => Promise<number>,
  everyMs = 500,
): Timeline {
  const start = stampMs();
  const samples: Sample[] = [];
  let last: Promise<void> = Promise.resolve();
  const take = async (): Promise<void> => {
    const pids = await Promise.all(names.map(pidOf));
    const cpu = await Promise.all(pids.map((pid) => (pid === undefined ? 0 : cpuSecondsOf(pid).catch(() => 0))));
    const memory = await Promise.all(pids.map(rssOf));
    samples.push({ atMs: stampMs() - start, cpu, rssBytes: memory, count: await count() });
  };
  const timer = setInterval(() => {
    last = last.then(take);
  }, everyMs);
  return {
    async stop() {
      clearInterval(timer);
      await last;
      return describe(names, samples);
    },
  };
}

async function rssOf(pid: number | undefined): Promise<number> {
  return pid === undefined
    ? 0
    : memoryOf(pid).then(
        ({ rssBytes }) => rssBytes,
        () => 0,
      );
}

/** describe writes CPU as the share of one core since the sample before. */
function describe(names: readonly string[], samples: readonly Sample[]): readonly string[] {
  const used = names.map((name, n) => {
    const seconds = (samples.at(-1)?.cpu[n] ?? 0) - (samples[0]?.cpu[n] ?? 0);
    return `${name} ${seconds.toFixed(1)} s`;
  });
  const lines = samples.slice(1).map((sample, i) => {
    const before = samples[i];
    const span = (sample.atMs - (before?.atMs ?? 0)) / 1000;
    const parts = names.map((name, n) => {
      const share = ((sample.cpu[n] ?? 0) - (before?.cpu[n] ?? 0)) / span;
      return `${name} ${(share * 100).toFixed(0)} % ${((sample.rssBytes[n] ?? 0) / 2 ** 20).toFixed(0)} MiB`;
    });
    return `${(sample.atMs / 1000).toFixed(1)} s: ${parts.join(", ")}; ${sample.count}`;
  });
  return [`CPU time: ${used.join(", ")}`, ...lines];
}
