import { z } from "zod";
import {
  type Ip,
  isDnsLabel,
  isSpecial,
  type Namespace,
  type NodeName,
  parseIp,
  parseNamespace,
  parseNodeName,
  parseServiceName,
  type Result,
  type ServiceName,
} from "#values";

/** Fields of Kubernetes objects, as schemas that parse them at the door with the API server's own rules. As there, null
 *  is the same as absent, and unknown fields are dropped. Messages are rules; the value is added where they are shown. */

function parsed<T>(parse: (text: string) => Result<T>, rule: string) {
  return z.string().transform((text, context): T => {
    const result = parse(text);
    if (result.ok) return result.value;
    context.addIssue({ code: "custom", message: rule });
    return z.NEVER;
  });
}

/** Rules that several fields share, as they are told to people. */
const LABEL_RULE = "must be a DNS label (a-z, 0-9 and -, at most 63)";
const SUBDOMAIN_RULE = "must be DNS labels joined by dots, at most 253 characters";

/** Names of objects. Services, exports and imports become DNS labels, namespaces too. */
export const serviceName = parsed<ServiceName>(parseServiceName, LABEL_RULE);
export const namespace = parsed<Namespace>(parseNamespace, LABEL_RULE);
/** Names of nodes and of slices are RFC 1123 subdomains. */
export const nodeName = parsed<NodeName>(parseNodeName, SUBDOMAIN_RULE);
/** An endpoint's hostname becomes one DNS label: a dotted one is refused, as by the API server. */
export const hostname = z.string().refine(isDnsLabel, { error: LABEL_RULE });

/** A port's name is a DNS label; absent and empty are the same. */
export const portName = z.string().refine((text) => text === "" || isDnsLabel(text), { error: LABEL_RULE });

const PORT_RULE = "must be a whole number from 1 to 65535";
export const portNumber = z.int({ error: PORT_RULE }).min(1, { error: PORT_RULE }).max(65_535, { error: PORT_RULE });
/** Protocols are written in capitals; `tcp` is a mistake there as here. */
export const protocol = z.enum(["TCP", "UDP", "SCTP"]);
export const ipFamily = z.enum(["IPv4", "IPv6"]);
export const appProtocol = z.string().max(253, { error: "must have at most 253 characters" });

/** An endpoint may be at no loopback, link-local, multicast or other special address: whoever may write endpoints must
 *  not reach what only the node itself can (CVE-2021-25737). */
export const endpointAddress = z.string().transform((text, context): Ip => {
  const ip = parseIp(text);
  if (ip.ok && !isSpecial(ip.value)) return ip.value;
  context.addIssue({ code: "custom", message: ip.ok ? "must not be a special address" : "must be an IP address" });
  return z.NEVER;
});

/** Keys of labels and annotations: an optional DNS prefix and `/`, then at most 63 of letters, digits, `-`, `_`, `.`. */
const QUALIFIED = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const ANNOTATION_BYTES = 65_536;

export const labels = stringMap(
  (value) => LABEL_VALUE.test(value),
  "must be a label value: at most 63 letters, digits, -, _ and ., with a letter or digit at both ends",
);
/** Annotations are bounded as the records that carry them. */
export const annotations = stringMap((value) => value.length <= ANNOTATION_BYTES, "must have at most 65536 characters");

function stringMap(isValue: (value: string) => boolean, rule: string) {
  const key = z.string().refine((text) => QUALIFIED.test(text), { error: "must be a qualified name" });
  return z.record(key, z.string().refine(isValue, { error: rule }));
}

/** RFC 3339, as `metadata.creationTimestamp` is written; becomes milliseconds since 1970. */
export const timestamp = z.string().transform((text, context): number => {
  const time = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  context.addIssue({ code: "custom", message: "must be a time as 2026-01-31T12:00:00Z" });
  return z.NEVER;
});
