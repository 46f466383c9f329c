import { generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { isDnsLabel, type Millis, parseIp } from "#values";
import { extension, signCertificate } from "./certificate.ts";
import { bitString, booleanTrue, dnsName, integer, ipName, oid, sequence } from "./der.ts";

/** The name under which every member asks for the broker in TLS, wherever it dials: so a moved or second broker, or
 *  one behind an address that its certificate does not name, still proves itself by the pinned authority. */
export const BROKER_NAME = "broker.meridian.internal";

/** BrokerCa is the broker's own certificate authority. Its fingerprint is in every join token. */
export interface BrokerCa {
  readonly pem: string;
  readonly privateKey: KeyObject;
}

/** Milliseconds; the years are counted in days. */
const DAY = 86_400_000;
const CA_DAYS = 3653;
const SERVER_DAYS = 365;
/** Members whose clock is a little behind must not see a certificate of tomorrow. */
const BACKDATE = 3_600_000;
const OID = {
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
} as const;
/** Bits of KeyUsage from the highest (RFC 5280, 4.2.1.3) and how many low bits of the octet are unused. */
const KEY_USAGE = { digitalSignature: [0x80, 7], keyCertSign: [0x04, 2] } as const;

/** createServerKey makes a P-256 key pair and gives the private half. */
export function createServerKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
}

/** createBrokerCa makes an authority for ten years that may sign servers but no further authority. */
export function createBrokerCa(now: Millis): BrokerCa {
  const privateKey = createServerKey();
  const pem = signCertificate({
    subject: "Meridian broker CA",
    issuer: "Meridian broker CA",
    subjectKey: privateKey,
    issuerKey: privateKey,
    notBefore: now - BACKDATE,
    notAfter: now + CA_DAYS * DAY,
    extensions: [
      extension(OID.basicConstraints, sequence(booleanTrue(), integer(Buffer.from([0]))), true),
      keyUsage("keyCertSign"),
    ],
  });
  return { pem, privateKey };
}

/** issueServerCertificate signs a server's certificate for a year, for BROKER_NAME and the hosts, which are DNS names
 *  or IP addresses that passed isHostName. */
export function issueServerCertificate(
  ca: BrokerCa,
  { hosts, serverKey, now }: { readonly hosts: readonly string[]; readonly serverKey: KeyObject; readonly now: Millis },
): string {
  const caEnd = new X509Certificate(ca.pem).validToDate.getTime();
  return signCertificate({
    subject: BROKER_NAME,
    issuer: "Meridian broker CA",
    subjectKey: serverKey,
    issuerKey: ca.privateKey,
    notBefore: now - BACKDATE,
    notAfter: Math.min(now + SERVER_DAYS * DAY, caEnd),
    extensions: [
      extension(OID.basicConstraints, sequence(), true),
      keyUsage("digitalSignature"),
      extension(OID.extendedKeyUsage, sequence(oid(OID.serverAuth))),
      extension(OID.subjectAltName, sequence(...namesOf(hosts).map(generalName))),
    ],
  });
}

/** namesOf is what a certificate for these hosts names, each once. */
export function namesOf(hosts: readonly string[]): readonly string[] {
  return [...new Set([BROKER_NAME, ...hosts.map(canonical)])];
}

/** isHostName reports whether a host can stand in a certificate: an IP address or a DNS name, no wildcard. */
export function isHostName(host: string): boolean {
  const name = canonical(host);
  return parseIp(name).ok || (name.length <= 253 && name.split(".").every(isDnsLabel));
}

/** One spelling per host, so that two lists can be compared. */
function canonical(host: string): string {
  const ip = parseIp(host);
  return ip.ok ? ip.value : host.toLowerCase();
}

/** An address as a DNS name would match nothing: TLS clients compare addresses as addresses. */
function generalName(host: string): Buffer {
  const ip = parseIp(host);
  return ip.ok ? ipName(ip.value) : dnsName(host);
}

/** Critical: a server's key may not sign certificates, and the authority's may do nothing else. */
function keyUsage(use: keyof typeof KEY_USAGE): Buffer {
  const [bits, unused] = KEY_USAGE[use];
  return extension(OID.keyUsage, bitString(Buffer.from([bits]), unused), true);
}
