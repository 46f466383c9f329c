import { createPublicKey, hash, type KeyObject, randomBytes, sign } from "node:crypto";
import {
  bitString,
  booleanTrue,
  explicit,
  implicit,
  integer,
  octetString,
  oid,
  sequence,
  setOf,
  time,
  utf8,
} from "./der.ts";

/** X.509 version 3 certificates (RFC 5280) signed by ECDSA on P-256 with SHA-256: what every TLS 1.3 peer takes. */

/** CertificateRequest says what is to be certified, by whom and from when to when (milliseconds since 1970). */
export interface CertificateRequest {
  readonly subject: string;
  readonly issuer: string;
  /** Whose certificate it is, and who signs it; the same key for a self-signed one. */
  readonly subjectKey: KeyObject;
  readonly issuerKey: KeyObject;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly extensions: readonly Uint8Array[];
}

/** RFC 5758 and RFC 5280. */
const OID = {
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  commonName: "2.5.4.3",
  subjectKeyIdentifier: "2.5.29.14",
  authorityKeyIdentifier: "2.5.29.35",
} as const;

/** signCertificate gives the certificate as PEM. The keys are private ones; both are on P-256. */
export function signCertificate(request: CertificateRequest): string {
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const version3 = explicit(0, integer(Buffer.from([2])));
  const extensions = [
    ...request.extensions,
    extension(OID.subjectKeyIdentifier, octetString(keyIdOf(request.subjectKey))),
    extension(OID.authorityKeyIdentifier, sequence(implicit(0, keyIdOf(request.issuerKey)))),
  ];
  // in the order of TBSCertificate (RFC 5280, 4.1)
  const toBeSigned = sequence(
    version3,
    integer(serialNumber()),
    algorithm,
    nameOf(request.issuer),
    sequence(time(request.notBefore), time(request.notAfter)),
    nameOf(request.subject),
    publicPart(request.subjectKey),
    explicit(3, sequence(...extensions)),
  );
  const signature = sign("sha256", toBeSigned, request.issuerKey);
  return pem(sequence(toBeSigned, algorithm, bitString(signature)));
}

/** extension wraps an extension's value; a critical one must be understood or the certificate refused. */
export function extension(id: string, value: Uint8Array, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [booleanTrue()] : []), octetString(value));
}

/** 127 random bits below a fixed top bit: never zero, never negative, never the same twice. */
function serialNumber(): Buffer {
  const serial = randomBytes(16);
  serial.writeUInt8((serial.readUInt8(0) & 0x7f) | 0x40, 0);
  return serial;
}

/** A distinguished name of one part, the common name. */
function nameOf(commonName: string): Buffer {
  return sequence(setOf(sequence(oid(OID.commonName), utf8(commonName))));
}

/** SubjectPublicKeyInfo: Node writes it as the certificate needs it. */
function publicPart(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: "spki", format: "der" });
}

/** The first 160 bits of the SHA-256 of the public key (RFC 7093, method 1). */
function keyIdOf(key: KeyObject): Buffer {
  return hash("sha256", publicPart(key), "buffer").subarray(0, 20);
}

/** Lines of 64 characters (RFC 7468). */
function pem(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}
