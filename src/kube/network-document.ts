import { z } from "zod";
import {
  type Cidr,
  type ClusterId,
  err,
  type Ip,
  type NodeName,
  ok,
  parseCidr,
  parseClusterId,
  parseIp,
  parseNodeName,
  type Result,
} from "#values";

/** NetworkDocument is what the gateways of a cluster tell its other nodes: all that these need to know of the clusterset's
 *  network, and nothing of what is exported. On Kubernetes it is the ConfigMap `meridian-network`. */
export interface NetworkDocument {
  readonly cluster: ClusterId;
  readonly supernet: Cidr;
  /** The part of the supernet that service addresses come from. */
  readonly servicePrefix: Cidr;
  /** Global addresses of this cluster's nodes. */
  readonly nodePrefix: Cidr;
  readonly way: NodeWay;
  readonly pods: readonly { readonly local: Cidr; readonly global: Cidr }[];
  /** Members that are reached untranslated: their pod CIDRs, and their nodes' global addresses. */
  readonly direct: { readonly pods: readonly Cidr[]; readonly nodes: readonly Cidr[] };
  readonly gateways: readonly NetworkGateway[];
  readonly nodes: readonly NetworkNode[];
}

/** NodeWay says how packets go between a gateway and the other nodes: `auto` is directly between those that are on one link,
 *  and by VXLAN else; `vxlan` is always by VXLAN, for networks that drop what is for another address than a host's own. */
export type NodeWay = (typeof NODE_WAYS)[number];
export const NODE_WAYS = ["auto", "vxlan"] as const;

export interface NetworkGateway {
  readonly name: NodeName;
  /** 0 to 7. */
  readonly index: number;
  /** In the cluster's network. */
  readonly local: Ip;
  readonly global: Ip;
  /** It takes no new flows. */
  readonly draining: boolean;
}

export interface NetworkNode {
  readonly name: NodeName;
  readonly local: Ip;
  readonly global: Ip;
  /** Ports of the node's own network that exports open. */
  readonly ports: readonly { readonly protocol: "TCP" | "UDP"; readonly port: number }[];
}

/** NETWORK is the ConfigMap's name, and the key in it. */
export const NETWORK = { name: "meridian-network", key: "network.json" } as const;

/** The form of the document: another reads what it does not know as a fault, and keeps what it has. */
const VERSION = 1;

function parsed<T>(parse: (text: string) => Result<T>) {
  return z.string().transform((text, context): T => {
    const result = parse(text);
    if (result.ok) return result.value;
    context.addIssue({ code: "custom", message: result.error });
    return z.NEVER;
  });
}

const [ip, cidr, nodeName] = [parsed(parseIp), parsed(parseCidr), parsed(parseNodeName)];
const port = z.object({ protocol: z.enum(["TCP", "UDP"]), port: z.int().min(1).max(65_535) });
const schema = z.object({
  version: z.literal(VERSION),
  cluster: parsed(parseClusterId),
  supernet: cidr,
  servicePrefix: cidr,
  nodePrefix: cidr,
  way: z.enum(NODE_WAYS),
  pods: z.array(z.object({ local: cidr, global: cidr })).max(64),
  direct: z
    .object({ pods: z.array(cidr).max(100_000), nodes: z.array(cidr).max(100_000) })
    .default({ pods: [], nodes: [] }),
  gateways: z
    .array(z.object({ name: nodeName, index: z.int().min(0).max(7), local: ip, global: ip, draining: z.boolean() }))
    .max(8),
  nodes: z.array(z.object({ name: nodeName, local: ip, global: ip, ports: z.array(port).max(10_000) })).max(10_000),
});

/** formatNetwork writes the document; equal documents are equal texts. */
export function formatNetwork(document: NetworkDocument): string {
  return JSON.stringify({ version: VERSION, ...document });
}

/** parseNetwork reads what formatNetwork wrote; the error names the field. */
export function parseNetwork(text: string): Result<NetworkDocument> {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return err("it is not JSON");
  }
  const result = schema.safeParse(raw);
  if (!result.success) {
    const [issue] = result.error.issues;
    return err(`${issue?.path.join(".") || "it"}: ${issue?.message}`);
  }
  const { version: _, ...document } = result.data;
  return ok(document);
}
