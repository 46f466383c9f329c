export type { Applied, Refusal } from "./applied.ts";
export {
  type EvictionBody,
  type ExportBody,
  type ExportPort,
  type ExportSlice,
  evictionBody,
  exportBody,
  type GatewayBody,
  type GrantBody,
  type GrantEntry,
  gatewayBody,
  grantBody,
  type HeadBody,
  headBody,
  type LeaveBody,
  leaveBody,
  MAX_GRANTS,
  MAX_TAKEN,
  type MemberBody,
  memberBody,
  type NodesBody,
  nodesBody,
  parseBody,
} from "./bodies.ts";
export type { Bounds } from "./bounds.ts";
export { type Candidate, examine, stated } from "./candidate.ts";
export { Catalogue } from "./catalogue.ts";
export { type Holding, Ledger, type Overlap } from "./ledger.ts";
export type { Member } from "./member.ts";
export {
  type Batch,
  type Cursor,
  decodeFromBroker,
  decodeFromGateway,
  encode,
  FEATURES,
  type FromBroker,
  type FromGateway,
  type Latency,
  type Login,
  MAX_BATCH,
  MAX_FRAME,
  MAX_MARKS,
  MAX_PROOFS,
  type Mark,
  type Network,
  negotiate,
  PROTOCOL,
  type Report,
  type Welcome,
} from "./messages.ts";
export {
  compareOrder,
  type Envelope,
  formatKey,
  inChronicle,
  type Order,
  parseKey,
  type RecordKey,
  type RecordKind,
  underHead,
} from "./record.ts";
export {
  digestOf,
  identityKeyObject,
  identityKeyOf,
  isSealedBy,
  privateKeyFrom,
  seal,
  signedText,
  unsealed,
} from "./signature.ts";
export { Tally, type TallyEntry } from "./tally.ts";
