import { err, ok, type Result } from "#values";
import { part } from "../sink/projection.ts";
import type { Editor } from "./editor.ts";

/** The Secret that all gateways of a cluster share: who they are. */
export const IDENTITY_SECRET = "meridian-identity";
/** Its keys: the identity, or the join that was begun. */
export type IdentityPart = "identity.json" | "join.pending";

/** IdentityStore keeps a cluster's identity in its API server, while it is being made and afterwards. */
export class IdentityStore {
  readonly #editor: Editor;
  readonly #namespace: string;

  constructor(editor: Editor, namespace: string) {
    this.#editor = editor;
    this.#namespace = namespace;
  }

  /** read gives what is there; both are undefined where nothing is. */
  async read(): Promise<Result<Partial<Record<IdentityPart, string>>>> {
    const found = await this.#editor.get({ kind: "Secret", namespace: this.#namespace, name: IDENTITY_SECRET });
    if (!found.ok) return found;
    const data = Object.entries(part(found.value, "data")).map(([key, value]) => [
      key,
      Buffer.from(String(value), "base64").toString("utf8"),
    ]);
    return ok(Object.fromEntries(data));
  }

  /** begin keeps a join before its token is redeemed. False where another installer has begun one. */
  begin(pending: string): Promise<Result<boolean>> {
    return this.#editor.create({ ...this.#secret("join.pending", pending) });
  }

  /** finish puts the identity in its place. */
  async finish(identity: string): Promise<Result<void>> {
    const name = { kind: "Secret", namespace: this.#namespace, name: IDENTITY_SECRET };
    const { data } = this.#secret("identity.json", identity);
    const done = await this.#editor.merge(name, { data: { ...data, "join.pending": null } });
    return done.ok ? ok(undefined) : err(done.error);
  }

  #secret(key: IdentityPart, text: string) {
    return {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: IDENTITY_SECRET, namespace: this.#namespace, labels: { "app.kubernetes.io/name": "meridian" } },
      type: "Opaque",
      data: { [key]: Buffer.from(text).toString("base64") },
    };
  }
}
