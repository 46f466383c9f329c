import type { Cidr, Ip } from "#values";
import type { Overlay } from "./overlay.ts";

/** NodeGateway is a gateway of the member, as one of its other nodes sees it. */
export interface NodeGateway {
  /** 0 to 7. */
  readonly index: number;
  readonly global: Ip;
  /** Its address in the cluster's own network. */
  readonly local: Ip;
  /** The link on which it is next to this node; null: it is reached by the overlay, of which it is a peer. */
  readonly link: string | null;
  /** The probes' verdict; null before there was one: then it stays what an earlier daemon made of it. */
  readonly up: boolean | null;
  /** It takes no new flows. */
  readonly draining: boolean;
}

/** NodePlan is all that a node without a gateway of its own should be: its pods' way to the gateways. */
export interface NodePlan {
  readonly supernet: Cidr;
  readonly servicePrefix: Cidr;
  /** Pod CIDRs of members that are reached untranslated. */
  readonly direct: readonly Cidr[];
  /** `local` is this node's address in its cluster's network, `global` its address in the supernet. */
  readonly node: { readonly local: Ip; readonly global: Ip };
  readonly gateways: readonly NodeGateway[];
  readonly overlay: Overlay | null;
  /** Links by which answers come, where rp_filter must be loose: they may come by another than the way out. */
  readonly underlayLinks: readonly string[];
}
