import { connect, type DetailedPeerCertificate } from "node:tls";
import { pinnedCa } from "#identity";
import { err, type Fingerprint, type Millis, type Result } from "#values";
import { TIMING } from "./limits.ts";

/** fetchCa asks a broker for its certificate chain and gives the CA in it whose fingerprint the join token carries.
 *  Nothing is sent to, and nothing else believed of, a broker that cannot show it. */
export function fetchCa(
  url: string,
  fingerprint: Fingerprint,
  { now, signal }: { readonly now: Millis; readonly signal: AbortSignal },
): Promise<Result<string>> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  return new Promise((resolve) => {
    // The chain is checked against the pinned fingerprint below, which is stricter than any list of authorities.
    const socket = connect({ host, port: Number(port || 443), rejectUnauthorized: false, minVersion: "TLSv1.3" });
    const finish = (result: Result<string>): void => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(TIMING.handshakeMs, () =>
      finish(err(`${url} did not answer within ${TIMING.handshakeMs / 1000} s`)),
    );
    socket.once("error", (error) => finish(err(`cannot reach the broker at ${url}: ${error.message}`)));
    socket.once("secureConnect", () => finish(pinnedCa(chainOf(socket.getPeerCertificate(true)), fingerprint, now)));
    signal.addEventListener("abort", () => finish(err("stopped")), { once: true });
  });
}

function chainOf(leaf: DetailedPeerCertificate): readonly Uint8Array[] {
  const chain: Uint8Array[] = [];
  for (let at = leaf; at?.raw !== undefined; at = at.issuerCertificate) {
    chain.push(at.raw);
    if (at.issuerCertificate === at || chain.length === 4) break;
  }
  return chain;
}
