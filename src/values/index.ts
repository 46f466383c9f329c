export type { Brand } from "./brand.ts";
export {
  addressAt,
  type Cidr,
  type CidrParts,
  cidrFamily,
  cidrOf,
  cidrParts,
  contains,
  covers,
  networkOf,
  offsetIn,
  overlaps,
  parseCidr,
  swapPrefix,
} from "./cidr.ts";
export { formatHostPort, type HostPort, parseHostPort } from "./hostport.ts";
export {
  BITS,
  type Family,
  familyOf,
  type Ip,
  ipBytes,
  ipFrom,
  ipValue,
  ipv4From,
  ipv4Value,
  isSpecial,
  parseIp,
} from "./ip.ts";
export {
  type Fingerprint,
  type IdentityKey,
  parseFingerprint,
  parseIdentityKey,
  parseSignature,
  parseTunnelKey,
  type Signature,
  type TunnelKey,
} from "./keys.ts";
export {
  type ClusterId,
  isDnsLabel,
  type Namespace,
  type NodeName,
  parseClusterId,
  parseNamespace,
  parseNodeName,
  parseServiceName,
  parseUid,
  type ServiceName,
  type Uid,
} from "./names.ts";
export { nearest } from "./nearest.ts";
export { PROTOCOLS, type Protocol } from "./protocol.ts";
export { err, expect, ok, type Result, unreachable } from "./result.ts";
export { type Millis, millis, parseDuration, type Revision } from "./units.ts";
