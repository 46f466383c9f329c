import type { Secret } from "#life";
import { err, type Result } from "#values";
import { type AskFault, askHttp, readAnswer } from "./ask-http.ts";

/** BrokerAsk is one request to a broker's admin API. */
export interface BrokerAsk {
  /** `https://HOST:PORT`, or `http:` to a loopback address. */
  readonly url: string;
  readonly token: Secret;
  /** The broker's CA in PEM; null for the authorities that this machine knows. */
  readonly ca: string | null;
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly signal: AbortSignal;
}

/** Hosts that are this machine itself, as a URL writes them. */
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** askBroker puts a question to the broker's admin API. The token goes nowhere in clear but to this host itself, and
 *  redirects are not followed. */
export async function askBroker({
  url,
  token,
  ca,
  method,
  path,
  body,
  signal,
}: BrokerAsk): Promise<Result<unknown, AskFault>> {
  if (!URL.canParse(url)) return err({ code: "refused", message: `not a URL: ${JSON.stringify(url.slice(0, 200))}` });
  const base = new URL(url);
  const tls = base.protocol === "https:";
  if (!tls && !LOOPBACK.test(base.hostname)) {
    return err({ code: "refused", message: `${url} would send the admin token in clear: use https` });
  }
  const options = {
    host: base.hostname.replace(/^\[|\]$/g, ""),
    port: base.port === "" ? (tls ? 443 : 80) : Number(base.port),
    method,
    path: `${base.pathname.replace(/\/$/, "")}${path}`,
    headers: { host: base.host, authorization: `Bearer ${token.reveal()}` },
    ...(tls ? { minVersion: "TLSv1.3" as const, ...(ca === null ? {} : { ca }) } : {}),
  };
  return askHttp({ tls, options, body, signal, where: url }, readAnswer);
}
