import { X509Certificate } from "node:crypto";
import { err, type Fingerprint, type Millis, ok, type Result } from "#values";
import { BROKER_NAME } from "./broker-ca.ts";
import { fingerprintOfBytes } from "./fingerprint.ts";

/** Longer chains are not ours: the broker sends its certificate and its authority's. */
const MAX_CHAIN = 8;

/** pinnedCa finds the authority that a join token names in the chain of a TLS server that nobody trusts yet, and
 *  checks that this server is its: the first certificate is signed by the authority, is for BROKER_NAME and valid now.
 *  TLS itself has shown that the server holds that certificate's key. Gives the authority's PEM, to be kept. */
export function pinnedCa(chainDer: readonly Uint8Array[], fingerprint: Fingerprint, now: Millis): Result<string> {
  const der = chainDer.slice(0, MAX_CHAIN).find((certificate) => fingerprintOfBytes(certificate) === fingerprint);
  const [first] = chainDer;
  if (der === undefined || first === undefined) {
    return err("the broker's authority is not the one in the join token: another broker answers at this URL");
  }
  // self-signed and an authority: a server's certificate could be pinned as well, and would then end with it
  const authority = readDer(der);
  const server = readDer(first);
  if (authority === undefined || !authority.ca || !authority.verify(authority.publicKey)) {
    return err("the join token names a certificate that is not of an authority");
  }
  if (server === undefined || !server.verify(authority.publicKey)) {
    return err("the broker's certificate is not signed by the authority in the join token");
  }
  if (server.checkHost(BROKER_NAME) === undefined) return err(`the broker's certificate is not for ${BROKER_NAME}`);
  return validAt(server, now) && validAt(authority, now)
    ? ok(authority.toString())
    : err(
        `the broker's certificate is valid from ${server.validFrom} to ${server.validTo}: it ended, or a clock is wrong`,
      );
}

/** BrokerTls is what a member dials a broker with once it knows the authority. */
export interface BrokerTls {
  readonly ca: string;
  readonly servername: string;
  readonly minVersion: "TLSv1.3";
}

/** brokerTls gives the options for `tls.connect`: only the pinned authority counts, whatever the URL's host is. */
export function brokerTls(caPem: string): BrokerTls {
  return { ca: caPem, servername: BROKER_NAME, minVersion: "TLSv1.3" };
}

/** What a stranger sends may be anything. */
function readDer(der: Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch {
    return undefined;
  }
}

/** TLS checks this by itself in every later session; here it was told to accept anybody. */
function validAt({ validFromDate, validToDate }: X509Certificate, now: Millis): boolean {
  return validFromDate.getTime() <= now && now < validToDate.getTime();
}
