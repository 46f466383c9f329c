import type { KeyObject } from "node:crypto";
import type { ClusterId, NodeName } from "#values";
import type { GatewayBody, HeadBody, MemberBody, NodesBody } from "./bodies.ts";
import { ExportTexts } from "./export-texts.ts";
import type { Envelope, Order } from "./record.ts";
import { identityKeyObject } from "./signature.ts";
import { Tally } from "./tally.ts";

/** Member is everything that is known of one cluster at its present generation. */
export interface Member {
  readonly cluster: ClusterId;
  body: MemberBody;
  key: KeyObject;
  gone: "left" | "evicted" | null;
  head: { readonly order: Order; readonly body: HeadBody; readonly envelope: Envelope } | null;
  tally: Tally;
  readonly exports: ExportTexts;
  readonly gateways: Map<NodeName, { readonly order: Order; readonly body: GatewayBody }>;
  nodes: NodesBody | null;
}

/** memberOf begins a membership, with nothing published yet. */
export function memberOf(body: MemberBody): Member {
  return {
    cluster: body.cluster,
    body,
    key: identityKeyObject(body.key),
    gone: null,
    head: null,
    tally: new Tally(),
    exports: new ExportTexts(),
    gateways: new Map(),
    nodes: null,
  };
}
