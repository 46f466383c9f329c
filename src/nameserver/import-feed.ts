import type { ZoneChange } from "#dns";
import type { ManifestChange, Manifests } from "#kube";
import { zoneServiceOf } from "./zone-service.ts";

/** ImportFeed turns changes of the manifests into changes of a zone. */
export class ImportFeed {
  #namespaces: ReadonlySet<string> = new Set();
  #synced = false;

  /** changes gives what a zone has to learn of one change, in the order in which it must: names before the word that
   *  nothing else is there. */
  changes({ changedImports, manifests, synced }: ManifestChange): readonly ZoneChange[] {
    const changes = changedImports.map((key) => serviceChange(key, manifests));
    if (!sameSet(this.#namespaces, manifests.namespaces)) {
      this.#namespaces = new Set(manifests.namespaces);
      changes.push({ kind: "namespaces", names: [...this.#namespaces] });
    }
    // What a file that was never good says is not known, so its names are not denied.
    const complete = synced && manifests.unread.size === 0;
    if (complete !== this.#synced) {
      this.#synced = complete;
      changes.push({ kind: "synced", synced: complete });
    }
    return changes;
  }

  /** everything is the same for a zone that begins empty. */
  everything(manifests: Manifests): readonly ZoneChange[] {
    const services = manifests.imports.keys().map((key) => serviceChange(key, manifests));
    const names = [...manifests.namespaces];
    return [...services, { kind: "namespaces", names }, { kind: "synced", synced: this.#synced }];
  }
}

function serviceChange(key: string, { imports, slicesOf }: Manifests): ZoneChange {
  const imported = imports.get(key);
  if (imported !== undefined) return { kind: "service", service: zoneServiceOf(imported, slicesOf(key)) };
  const [namespace = "", name = ""] = key.split("/");
  return { kind: "remove", namespace, name };
}

function sameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && a.isSubsetOf(b);
}
