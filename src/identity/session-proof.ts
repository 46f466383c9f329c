import { type KeyObject, sign, verify } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { ClusterId, IdentityKey, NodeName, Signature, Uid } from "#values";
import { identityKeyObject } from "#wire";

/** SessionClaim is what a gateway proves at the start of a session. */
export interface SessionClaim {
  /** The channel binding of the TLS connection, in octets. */
  readonly exporter: Uint8Array;
  /** What the broker sent to be signed, fresh for each session. */
  readonly nonce: Uint8Array;
  readonly cluster: ClusterId;
  readonly uid: Uid;
  readonly gateway: NodeName;
}

/** Octets of a channel binding (RFC 9266, section 2). */
const BINDING_BYTES = 32;

/** channelBinding is the exporter value of a TLS 1.3 connection (RFC 9266: label `EXPORTER-Channel-Binding`, empty
 *  context). Both ends of one connection have the same, and nobody in between can make another connection have it:
 *  a proof for one connection is worth nothing on another. */
export function channelBinding(socket: TLSSocket): Uint8Array {
  return socket.exportKeyingMaterial(BINDING_BYTES, "EXPORTER-Channel-Binding", Buffer.alloc(0));
}

/** proofText is the text that is signed. Its first line keeps it apart from signed records; no field can hold a
 *  line break, so no two claims have one text. */
export function proofText({ exporter, nonce, cluster, uid, gateway }: SessionClaim): string {
  if (exporter.length !== BINDING_BYTES) throw new RangeError(`a channel binding has ${BINDING_BYTES} octets`);
  const [binding, fresh] = [exporter, nonce].map((bytes) => Buffer.from(bytes).toString("base64url"));
  return `meridian session 1\n${binding}\n${fresh}\n${cluster}\n${uid}\n${gateway}`;
}

/** signProof signs a claim with the member's identity key (Ed25519, RFC 8032). */
export function signProof(privateKey: KeyObject, claim: SessionClaim): Signature {
  return sign(null, Buffer.from(proofText(claim)), privateKey).toString("base64url") as Signature;
}

/** verifyProof reports whether the holder of a member's key made this claim on this connection. */
export function verifyProof(key: IdentityKey, claim: SessionClaim, signature: Signature): boolean {
  const text = Buffer.from(proofText(claim));
  try {
    return verify(null, text, identityKeyObject(key), Buffer.from(signature, "base64url"));
  } catch {
    return false; // 32 octets that are no point of the curve
  }
}
