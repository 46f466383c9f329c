import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog, systemClock } from "#life";
import { openSqliteStore } from "#store";
import { expect as must } from "#values";
import { unsealed } from "#wire";

/** Commits that a percentile is made of. */
const SAMPLE = 400;
const BATCH = 1000;

type Store = ReturnType<typeof open>;

/** StoreLatency is how long small commits took before very many deletions and after them, and reads of what changed. */
export interface StoreLatency {
  readonly before: Took;
  readonly after: Took;
}

interface Took {
  readonly p50Ms: number;
  readonly p90Ms: number;
}

/** latencyAfter writes and deletes so many records in a store of its own, and measures what a commit takes around it. */
export function latencyAfter(deletions: number): StoreLatency {
  const dir = mkdtempSync(join(tmpdir(), "meridian-deletes-"));
  const store = open(dir);
  try {
    write(store, "warm-up");
    const before = write(store, "before");
    for (let at = 0; at < deletions; at += BATCH) {
      const keys = Array.from({ length: Math.min(BATCH, deletions - at) }, (_, n) => `export/c/gone/${at + n}`);
      commit(store, { put: keys.map(record) });
      commit(store, { remove: keys });
    }
    write(store, "settle");
    return { before, after: write(store, "after") };
  } finally {
    store.close();
    rmSync(dir, { recursive: true });
  }
}

function open(dir: string) {
  return must(openSqliteStore({ dir, clock: systemClock, log: silentLog }));
}

function commit(store: Store, change: Parameters<Store["commit"]>[0]): void {
  const done = store.commit(change);
  if (!done.ok) throw new Error(done.error.message);
}

function record(key: string) {
  return unsealed(key, { epoch: 1, seq: 1 }, { text: "x".repeat(300) });
}

function write(store: Store, name: string): Took {
  const took = Array.from({ length: SAMPLE }, (_, n) => {
    const start = performance.now();
    commit(store, { put: [record(`export/c/${name}/${n % 50}`)] });
    store.changesSince(store.revision());
    return performance.now() - start;
  }).sort((a, b) => a - b);
  return { p50Ms: took[SAMPLE / 2] ?? 0, p90Ms: took[Math.floor(SAMPLE * 0.9)] ?? 0 };
}
