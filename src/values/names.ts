import type { Brand } from "./brand.ts";
import { err, ok, type Result } from "./result.ts";

/** ClusterId names a member: one RFC 1123 label, since it becomes a DNS label and a Kubernetes label value. */
export type ClusterId = Brand<string, "ClusterId">;
/** Namespace and ServiceName are RFC 1123 labels (Kubernetes object names that become DNS labels). */
export type Namespace = Brand<string, "Namespace">;
export type ServiceName = Brand<string, "ServiceName">;
/** NodeName is an RFC 1123 subdomain of at most 253 characters: a gateway is called as its host. */
export type NodeName = Brand<string, "NodeName">;
/** Uid is an RFC 4122 UUID in lower case. */
export type Uid = Brand<string, "Uid">;

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** isDnsLabel reports whether text is one RFC 1123 label. */
export function isDnsLabel(text: string): boolean {
  return LABEL.test(text);
}

export function parseClusterId(text: string): Result<ClusterId> {
  return label<ClusterId>("cluster id", text);
}

export function parseNamespace(text: string): Result<Namespace> {
  return label<Namespace>("namespace", text);
}

export function parseServiceName(text: string): Result<ServiceName> {
  return label<ServiceName>("service name", text);
}

export function parseNodeName(text: string): Result<NodeName> {
  const good = text.length <= 253 && text.split(".").every(isDnsLabel);
  return good
    ? ok(text as NodeName)
    : err(`node name must be DNS labels joined by dots: ${JSON.stringify(text.slice(0, 80))}`);
}

export function parseUid(text: string): Result<Uid> {
  return UUID.test(text) ? ok(text as Uid) : err(`not a UUID: ${JSON.stringify(text.slice(0, 80))}`);
}

function label<T extends string>(what: string, text: string): Result<T> {
  return isDnsLabel(text)
    ? ok(text as T)
    : err(`${what} must be a DNS label (a-z, 0-9 and -, at most 63): ${JSON.stringify(text.slice(0, 80))}`);
}
