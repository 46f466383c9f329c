import { type FSWatcher, watch } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Log } from "#life";

/** Hint says that something may have happened to a file, or to the whole folder (null).
 *  `movedFrom` names the file of which the event before told: if it is gone now, the two were one rename, and what was
 *  renamed in is complete. */
export interface Hint {
  readonly file: string | null;
  readonly movedFrom: string | null;
}

/** What a mounted ConfigMap keeps its files behind: `web.yaml -> ..data/web.yaml`, `..data -> ..2026_01_31`. The kubelet
 *  replaces the second link by a rename, and all files have changed at once. */
const DATA_LINK = "..data";

/** FolderWatch gives hints from inotify, quick but not to be relied on: it sees no change behind a link that leads out
 *  of the folder, and none after a watch was lost. The folder is polled besides. */
export class FolderWatch {
  readonly #dir: string;
  readonly #log: Log;
  readonly #onHint: (hint: Hint) => void;
  readonly #watchers = new Map<string, FSWatcher>();
  #identity = "";
  #told = false;

  constructor(dir: string, log: Log, onHint: (hint: Hint) => void) {
    this.#dir = dir;
    this.#log = log;
    this.#onHint = onHint;
  }

  /** arm watches the folder and the target of its `..data`, anew where either is another one than before. */
  async arm(): Promise<void> {
    const own = await identityOf(this.#dir);
    if (own === null) return this.close();
    const target = await realpath(join(this.#dir, DATA_LINK)).catch(() => null);
    const identity = `${own} ${target} ${target === null ? "" : await identityOf(target)}`;
    if (identity === this.#identity) return;
    this.close();
    this.#identity = identity;
    this.#watch(this.#dir);
    if (target !== null) this.#watch(target);
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    this.#identity = "";
  }

  #watch(path: string): void {
    let before: string | null = null;
    try {
      const watcher = watch(path, (event, file) => {
        const movedFrom = event === "rename" ? before : null;
        before = event === "rename" ? file : null;
        if (file === basename(path)) this.#identity = ""; // removed or renamed itself: its watch sees nothing more
        this.#onHint({ file: file === DATA_LINK ? null : file, movedFrom });
      });
      watcher.on("error", () => this.close()); // the next arm() starts again
      this.#watchers.set(path, watcher);
    } catch (error) {
      if (!this.#told)
        this.#log.warn("folder is polled only, for it cannot be watched", { path, error: String(error) });
      this.#told = true;
    }
  }
}

async function identityOf(path: string): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  return found === null ? null : `${found.dev}:${found.ino}`;
}
