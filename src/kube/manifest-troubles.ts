import type { Trouble, Troubles } from "#life";

/** Texts of one trouble: the first few, and how many more. */
const SHOWN = 5;

/** FileTroubles keeps the register of troubles in step with a folder of manifests. */
export class FileTroubles {
  readonly #dir: string;
  readonly #troubles: Troubles;
  #duplicates = false;

  constructor(dir: string, troubles: Troubles) {
    this.#dir = dir;
    this.#troubles = troubles;
  }

  /** bad says what is wrong with a file: `web.yaml:12: spec.ports[0].port: must be …`. */
  bad(file: string, detail: string): void {
    this.#troubles.set({
      code: "manifest-invalid",
      severity: "warning",
      title: "Manifest file is invalid; its last good content stays in force",
      subject: file,
      detail,
    });
  }

  good(file: string): void {
    this.#troubles.clear("manifest-invalid", file);
  }

  /** folder says that the folder cannot be read, by the system's code; null that it can. */
  folder(code: string | null): void {
    if (code === null) return this.#troubles.clear("manifests-missing", this.#dir);
    this.#troubles.set({
      code: "manifests-missing",
      severity: "warning",
      title: "Manifest folder cannot be read; what it said stays in force",
      subject: this.#dir,
      detail: `${this.#dir}: ${code}`,
    });
  }

  /** duplicates says, by file, which of its objects others define, too. */
  duplicates(texts: ReadonlyMap<string, readonly string[]>): void {
    if (texts.size === 0 && !this.#duplicates) return;
    this.#duplicates = texts.size > 0;
    const troubles = [...texts].map(([file, all]): Trouble => {
      const more = all.length > SHOWN ? `; and ${all.length - SHOWN} more` : "";
      return {
        code: "manifest-duplicate",
        severity: "warning",
        title: "Object is defined twice; the first definition is in force",
        subject: file,
        detail: all.slice(0, SHOWN).join("; ") + more,
      };
    });
    this.#troubles.replace("manifest-duplicate", troubles);
  }
}
