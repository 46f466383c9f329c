import type { Troubles } from "#life";
import { type ClustersetIp, clustersetIpOf } from "../clusterset-ip.ts";
import { CLUSTERSET_IP } from "../well-known.ts";

const TROUBLE = "clusterset-ip-unknown";

/** Asked is what the annotation of an import of ours says; null: nothing. */
export interface Asked {
  readonly key: string;
  readonly asked: string | null;
  /** What it is where the annotation says nothing that is known. */
  readonly otherwise: ClustersetIp;
}

/** tellAsked tells of an annotation that cannot be followed, and that it can be again. */
export function tellAsked(troubles: Troubles, { key, asked, otherwise }: Asked): void {
  if (asked === null || clustersetIpOf(asked) !== undefined) return troubles.clear(TROUBLE, key);
  const title = "An annotation of a ServiceImport says nothing that is known";
  const said = JSON.stringify(asked.slice(0, 80));
  const detail = `${CLUSTERSET_IP} must be derived or global: ${said}; the cluster's setting counts: ${otherwise}`;
  troubles.set({ code: TROUBLE, severity: "warning", title, subject: key, detail });
}
