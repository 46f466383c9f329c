import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "#life";
import { type FileReader, type FileReading, readManifestFile } from "./file-reader.ts";
import { type FileStamp, settle, stampOf } from "./file-stamp.ts";

/** A file that is gone may be on its way back: editors and deployments remove it and write it anew, at once. What is
 *  really gone should leave the names within milliseconds. */
const GONE_MS = 10;
/** Files looked at side by side. */
const ABREAST = 8;

/** FolderNews is what a folder's owner hears of one file. `removed`: the file is gone, its objects with it. `fault`: it
 *  cannot be read, and what it said before stays in force. */
export interface FolderNews {
  parsed(file: string, reading: Extract<FileReading, { kind: "parsed" }>): Promise<void>;
  removed(file: string): Promise<void>;
  fault(file: string, reason: string): void;
}

export interface ManifestFolderOptions extends FileReader {
  readonly clock: Clock;
  readonly news: FolderNews;
  readonly signal: AbortSignal;
}

interface Known {
  readonly stamp: string;
  /** Of the content that was parsed last; null where it could not be read. */
  readonly hash: string | null;
}

/** Look is one look at a file that is under way. */
interface Look {
  done: Promise<void>;
  /** Whether to look once more, and if so whether the file is known to be complete then. */
  again: { readonly complete: boolean } | null;
}

/** ManifestFolder finds out which files of a folder have changed, and reads them when nobody is writing them:
 *
 *    hint or poll ──> stamp differs? ──> settle ──> read, hash differs? ──> parsed, or fault
 *                 └──> not there ──> still so after 100 ms, and the folder is there ──> removed
 *
 *  Each file is looked at by one look at a time, so that its news come in order; different files go side by side. What
 *  is not promised: that every version is seen. A file that is replaced twice while it is read is read once more. */
export class ManifestFolder {
  readonly #options: ManifestFolderOptions;
  readonly #known = new Map<string, Known>();
  readonly #busy = new Map<string, Look>();

  constructor(options: ManifestFolderOptions) {
    this.#options = options;
  }

  /** scan looks at every file of the folder, and at those that were there. The error is the system's code. */
  async scan(complete: boolean): Promise<string | null> {
    const names = await listManifests(this.#options.dir);
    if (typeof names === "string") return names;
    const all = new Set([...names, ...this.#known.keys()]).values();
    const look = async (): Promise<void> => {
      for (const file of all) await this.examine(file, complete);
    };
    await Promise.all(Array.from({ length: ABREAST }, look));
    return null;
  }

  /** examine reads a file if it has changed. `complete` says that it was put in place by a rename. Calls for a file that
   *  is being looked at make it be looked at once more. */
  examine(file: string, complete: boolean): Promise<void> {
    const busy = this.#busy.get(file);
    if (busy !== undefined) {
      busy.again = { complete };
      return busy.done;
    }
    const look: Look = { done: Promise.resolve(), again: { complete } };
    this.#busy.set(file, look);
    look.done = this.#lookUntilQuiet(file, look).finally(() => this.#busy.delete(file));
    return look.done;
  }

  /** isGone reports whether a name in the folder is free. */
  async isGone(file: string): Promise<boolean> {
    const found = await stampOf(join(this.#options.dir, file));
    return !found.ok && found.error === "ENOENT";
  }

  async #lookUntilQuiet(file: string, look: Look): Promise<void> {
    for (let next = look.again; next !== null && !this.#options.signal.aborted; next = look.again) {
      look.again = null;
      await this.#look(file, next.complete);
    }
  }

  async #look(file: string, complete: boolean): Promise<void> {
    const { dir, clock, signal } = this.#options;
    const path = join(dir, file);
    const found = await stampOf(path);
    if (!found.ok && found.error !== "ENOENT") return this.#fault(file, "", `cannot be read: ${found.error}`);
    if (!found.ok || found.value === null) return this.#missing(file);
    if (found.value.text === this.#known.get(file)?.stamp) return;
    const settled = await settle(path, found.value, { clock, complete, signal });
    if (settled !== null) await this.#read(file, settled);
  }

  async #read(file: string, stamp: FileStamp): Promise<void> {
    const { news, signal } = this.#options;
    const hash = this.#known.get(file)?.hash ?? null;
    const reading = await readManifestFile(this.#options, file, stamp, hash, signal);
    signal.throwIfAborted();
    if (reading.kind === "unreadable") return this.#fault(file, stamp.text, reading.reason);
    this.#known.set(file, { stamp: stamp.text, hash: reading.kind === "same" ? hash : reading.hash });
    if (reading.kind === "parsed") await news.parsed(file, reading);
  }

  /** missing removes a file that is really gone: still so after a moment, and from a folder that is there. A link that
   *  leads nowhere is a fault: what it led to stays in force. */
  async #missing(file: string): Promise<void> {
    const { dir, clock, news, signal } = this.#options;
    if (!this.#known.has(file)) return;
    await clock.sleep(GONE_MS, signal);
    const names = await listManifests(dir);
    if (typeof names === "string") return; // the folder is gone: what was stays
    const found = await stampOf(join(dir, file));
    if (found.ok && found.value !== null) return this.#look(file, false);
    if (!found.ok && names.includes(file)) return this.#fault(file, "", `cannot be read: ${found.error}`);
    this.#known.delete(file);
    await news.removed(file);
  }

  #fault(file: string, stamp: string, reason: string): void {
    this.#known.set(file, { stamp, hash: null });
    this.#options.news.fault(file, `${file}: ${reason}`);
  }
}

/** listManifests names the manifest files of a folder, hidden ones left out, sorted; or gives the system's code. */
async function listManifests(dir: string): Promise<readonly string[] | string> {
  try {
    return (await readdir(dir)).filter(isManifest).sort();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

export function isManifest(file: string): boolean {
  return /^[^.].*\.(?:ya?ml|json)$/.test(file);
}
