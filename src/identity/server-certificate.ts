import type { KeyObject, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { err, type Millis, ok, parseIp, type Result } from "#values";
import { type BrokerCa, createServerKey, issueServerCertificate, namesOf } from "./broker-ca.ts";
import { type FileFault, readPrivate, readPublic, writeDurably } from "./durable-file.ts";
import { readPrivateKey } from "./key-checks.ts";
import { readCertificate } from "./pem.ts";
import { privateKeyText } from "./private-key.ts";

/** ServerCertificate is what the broker's TLS server shows, and the key that it proves it with. */
export interface ServerCertificate {
  readonly pem: string;
  readonly privateKey: KeyObject;
}

/** Sixty days: a broker that is restarted at least every ten months never shows a certificate that ended. */
const RENEW_BEFORE = 60 * 86_400_000;

/** loadServerCertificate reads server.key and server.crt, and issues what is missing or stale: the authority stands
 *  for them. What is there but damaged, or signed by another authority, is refused by name. */
export function loadServerCertificate(
  dataDir: string,
  ca: BrokerCa,
  hosts: readonly string[],
  now: Millis,
): Result<ServerCertificate> {
  const certPath = join(dataDir, "server.crt");
  const certificate = readServerCertificate(certPath, ca);
  if (!certificate.ok && certificate.error.code === "unusable") return err(certificate.error.message);
  const key = serverKeyIn(join(dataDir, "server.key"), certificate.ok ? certPath : undefined);
  if (!key.ok) return key;
  const found = certificate.ok ? certificate.value : undefined;
  if (found !== undefined && !found.checkPrivateKey(key.value)) {
    return err(`${join(dataDir, "server.key")} is not the key of ${certPath}: remove both and start again`);
  }
  if (found !== undefined && !isStale(found, hosts, now)) return ok({ pem: found.toString(), privateKey: key.value });
  // the key stays: a crash between two files can then never leave a pair that does not match
  const pem = issueServerCertificate(ca, { hosts, serverKey: key.value, now });
  const written = writeDurably(certPath, pem);
  return written.ok ? ok({ pem, privateKey: key.value }) : written;
}

/** Only a certificate that this authority signed is ours: another one would be refused by every member. */
function readServerCertificate(path: string, ca: BrokerCa): Result<X509Certificate, FileFault> {
  const text = readPublic(path);
  if (!text.ok) return text;
  const certificate = readCertificate(text.value);
  const authority = readCertificate(ca.pem);
  const good = certificate !== undefined && authority !== undefined && certificate.verify(authority.publicKey);
  return good
    ? ok(certificate)
    : err({ code: "unusable", message: `${path} is damaged or of another authority: remove it and start again` });
}

/** The key is written first: a key without a certificate is a first start that was cut short, a certificate without
 *  its key is a loss. */
function serverKeyIn(path: string, certPath: string | undefined): Result<KeyObject> {
  const text = readPrivate(path);
  if (text.ok) {
    const key = readPrivateKey(text.value);
    return key === undefined ? err(`${path} is damaged: restore it, or remove it and server.crt`) : ok(key);
  }
  if (text.error.code !== "missing") return err(text.error.message);
  if (certPath !== undefined) return err(`${path} is missing, but ${certPath} is there: restore it, or remove both`);
  const key = createServerKey();
  const written = writeDurably(path, privateKeyText(key));
  return written.ok ? ok(key) : written;
}

/** A certificate of tomorrow is stale too: it was made while the clock was ahead. */
function isStale(certificate: X509Certificate, hosts: readonly string[], now: Millis): boolean {
  const { validToDate, validFromDate } = certificate;
  const soon = validToDate.getTime() - now < RENEW_BEFORE || now < validFromDate.getTime();
  const wanted = [...namesOf(hosts)].sort().join();
  return soon || [...certifiedNames(certificate)].sort().join() !== wanted;
}

/** certifiedNames reads the names back as `DNS:a, IP Address:1.2.3.4`, which is how Node writes them. */
function certifiedNames({ subjectAltName = "" }: X509Certificate): readonly string[] {
  return subjectAltName.split(", ").map((entry) => {
    const value = entry.replace(/^(DNS|IP Address):/, "");
    const ip = parseIp(value);
    return ip.ok ? ip.value : value;
  });
}
