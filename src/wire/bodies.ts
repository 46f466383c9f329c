import { z } from "zod";
import {
  type Cidr,
  type ClusterId,
  err,
  type HostPort,
  type IdentityKey,
  type Ip,
  type Namespace,
  type NodeName,
  ok,
  parseCidr,
  parseClusterId,
  parseHostPort,
  parseIdentityKey,
  parseIp,
  parseNamespace,
  parseNodeName,
  parseServiceName,
  parseTunnelKey,
  parseUid,
  type Result,
  type ServiceName,
  type TunnelKey,
  type Uid,
} from "#values";

/** Bodies of the records, as schemas that parse them at the door. Unknown fields pass and are kept in the body's text. */

function parsed<T>(parse: (text: string) => Result<T>, max = 300) {
  return z
    .string()
    .max(max)
    .transform((text, context): T => {
      const result = parse(text);
      if (result.ok) return result.value;
      context.addIssue({ code: "custom", message: result.error });
      return z.NEVER;
    });
}

export const cluster = parsed<ClusterId>(parseClusterId);
export const namespace = parsed<Namespace>(parseNamespace);
export const serviceName = parsed<ServiceName>(parseServiceName);
export const nodeName = parsed<NodeName>(parseNodeName);
export const uid = parsed<Uid>(parseUid);
export const ip = parsed<Ip>(parseIp);
export const cidr = parsed<Cidr>(parseCidr);
export const identityKey = parsed<IdentityKey>(parseIdentityKey);
export const tunnelKey = parsed<TunnelKey>(parseTunnelKey);
export const hostPort = parsed<HostPort>((text) => parseHostPort(text));
export const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
export const portNumber = z.number().int().min(1).max(65_535);
/** A port's name is an RFC 6335 service name as Kubernetes checks it; the empty one is a port without a name. */
export const portName = z.string().regex(/^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$/, "must be a DNS label or empty");
export const protocol = z.enum(["TCP", "UDP", "SCTP"]);

/** Who: a member at one generation. Leaves and evictions name the generation that they end. */
const membership = { cluster, uid, generation: count };

/** member/C: the broker admits a cluster under a key. */
export const memberBody = z.object({ ...membership, key: identityKey, joinedAt: count });
/** leave/C: the member goes, of its own will. */
export const leaveBody = z.object({ ...membership, leftAt: count });
/** eviction/C: the broker puts a member out. */
export const evictionBody = z.object({ ...membership, evictedAt: count });

/** One allocation or its end. A grant record holds up to MAX_GRANTS of them under one signature. */
export const grantEntry = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("pods"), ...membership, local: cidr, prefix: cidr }),
  z.object({ kind: z.literal("nodes"), ...membership, prefix: cidr }),
  z.object({ kind: z.literal("gateway"), ...membership, name: nodeName, index: z.number().int().min(0).max(7) }),
  z.object({ kind: z.literal("service"), namespace, name: serviceName, address: ip }),
  z.object({ kind: z.literal("reserved"), prefix: cidr }),
  z.object({ kind: z.literal("release"), prefix: cidr }),
  z.object({ kind: z.literal("release-gateway"), ...membership, name: nodeName }),
]);
export const MAX_GRANTS = 512;
/** grant/N: what the broker's allocation key gave or took back at grant number N, in order. Records with `base` are a
 *  run of `parts` from number `first` on that says all that is live: with the last of them every earlier one is void. */
export const grantBody = z.object({
  number: count,
  entries: z.array(grantEntry).max(MAX_GRANTS),
  base: z.object({ first: count, parts: z.number().int().min(1).max(100_000) }).optional(),
});

/** Most networks that a gateway names as its own. */
export const MAX_TAKEN = 256;

/** gateway/C/NAME: how to reach one gateway. `endpoints[j]` is where the peers' index-j gateways send. */
export const gatewayBody = z.object({
  ...membership,
  name: nodeName,
  index: z.number().int().min(0).max(7),
  tunnelKey,
  endpoints: z.array(hostPort.nullable()).length(8),
  /** The node's global address: probes go there, and what its processes send comes from there. */
  address: ip,
  /** The node's address in its own cluster's network, where sibling gateways hand packets to it; none, and they do not. */
  local: ip.nullish(),
  /** It takes no new flows: peers and siblings use their other ways, and leave it the flows that it has. */
  draining: z.boolean().nullish(),
  /** It offers its pods untranslated (--globalnet off): `taken` are networks that it uses itself, beside its pods. */
  direct: z.object({ taken: z.array(cidr).max(MAX_TAKEN) }).nullish(),
  version: z.string().max(64),
});

/** head/C: the sum of everything the member's speaker signed. `root` is over 256 bucket hashes (tally.ts). */
export const headBody = z.object({ ...membership, count, root: z.string().regex(/^[A-Za-z0-9_-]{43}$/) });

export const exportPort = z.object({
  name: portName,
  protocol,
  port: portNumber,
  appProtocol: z.string().max(253).nullish(),
});

const exportEndpoints = z
  .array(z.object({ address: ip, hostname: z.string().max(63).nullish(), node: nodeName.nullish() }))
  .max(1000);

/** Endpoints that share target ports: one EndpointSlice or a part of one. Of those that are not ready only the ones are
 *  told that end and still serve: they are used where nothing else is left (KEP-1669). */
export const exportSlice = z.object({
  /** Target port by the service port's name; a service port without a target here is not served by these endpoints. */
  ports: z.array(z.object({ name: portName, protocol, port: portNumber })).max(100),
  endpoints: exportEndpoints,
  draining: exportEndpoints.optional(),
});

/** export/C/NS/NAME: a Service that a member exports, its endpoints as global addresses. */
export const exportBody = z.object({
  namespace,
  name: serviceName,
  type: z.enum(["ClusterSetIP", "Headless"]),
  /** Age for conflict resolution: creationTimestamp of the ServiceExport, or when the file was first signed. */
  createdAt: count,
  ports: z.array(exportPort).max(100),
  sessionAffinity: z.enum(["None", "ClientIP"]),
  sessionAffinitySeconds: count.nullish(),
  internalTrafficPolicy: z.string().max(64).nullish(),
  trafficDistribution: z.string().max(64).nullish(),
  ipFamilies: z.array(z.enum(["IPv4", "IPv6"])).max(2),
  labels: z.record(z.string().max(317), z.string().max(63)),
  annotations: z.record(z.string().max(317), z.string().max(65_536)),
  slices: z.array(exportSlice).max(1000),
});

/** nodes/C: the speaker numbers the member's nodes inside its node prefix. */
export const nodesBody = z.object({
  nodes: z.array(z.object({ name: nodeName, address: ip })).max(10_000),
});

export type MemberBody = z.infer<typeof memberBody>;
export type LeaveBody = z.infer<typeof leaveBody>;
export type EvictionBody = z.infer<typeof evictionBody>;
export type GrantEntry = z.infer<typeof grantEntry>;
export type GrantBody = z.infer<typeof grantBody>;
export type GatewayBody = z.infer<typeof gatewayBody>;
export type HeadBody = z.infer<typeof headBody>;
export type ExportPort = z.infer<typeof exportPort>;
export type ExportSlice = z.infer<typeof exportSlice>;
export type ExportBody = z.infer<typeof exportBody>;
export type NodesBody = z.infer<typeof nodesBody>;

/** parseBody reads a body's JSON text by its schema; the error names the field. What `isPlain` knows to be as the schema
 *  would give it needs no schema. */
export function parseBody<T>(
  schema: z.ZodType<T>,
  text: string,
  isPlain: (raw: unknown) => raw is T = (_): _ is T => false,
): Result<T> {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return err("body is not JSON");
  }
  if (isPlain(raw)) return ok(raw);
  const result = schema.safeParse(raw);
  if (result.success) return ok(result.data);
  const issue = result.error.issues[0];
  return err(`${issue?.path.join(".") || "body"}: ${issue?.message ?? "wrong"}`);
}
