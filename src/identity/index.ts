export {
  BROKER_NAME,
  type BrokerCa,
  createBrokerCa,
  createServerKey,
  isHostName,
  issueServerCertificate,
} from "./broker-ca.ts";
export { type BrokerKeys, loadBrokerKeys } from "./broker-keys.ts";
export { parseBrokerUrl } from "./broker-url.ts";
export { type FileFault, readPrivate, readPublic, removeDurably, writeDurably } from "./durable-file.ts";
export { fingerprintOf, fingerprintOfBytes } from "./fingerprint.ts";
export { type Identity, readIdentity, writeIdentity } from "./identity-file.ts";
export { isSecretOf, type JoinToken, type MintedToken, mintToken, parseToken, secretHash } from "./join-token.ts";
export { endPendingJoin, type PendingJoin, pendingJoin } from "./pending-join.ts";
export { type BrokerTls, brokerTls, pinnedCa } from "./pinned-ca.ts";
export { createIdentityKey } from "./private-key.ts";
export { channelBinding, proofText, type SessionClaim, signProof, verifyProof } from "./session-proof.ts";
