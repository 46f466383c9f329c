import { X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { Refused } from "./problem.ts";

/** Names by which a browser reaches this host itself, whatever it is asked. */
const LOOPBACK: readonly string[] = ["localhost", "127.0.0.1", "::1"];
/** Headers of which a second one would let two readers of one request see two requests. */
const SINGLE: readonly string[] = [
  "host",
  "origin",
  "authorization",
  "content-type",
  "content-length",
  "idempotency-key",
];

/** HostGuard keeps other web sites out: a page may make a browser send anything to a name that it controls (DNS
 *  rebinding), so only requests for our own names are answered, and only from pages of our own origin, if any. */
export class HostGuard {
  readonly #hosts: ReadonlySet<string>;
  readonly #scheme: "http" | "https";

  /** hosts: names and addresses of the server besides the loopback's. */
  constructor(hosts: readonly string[], scheme: "http" | "https") {
    this.#hosts = new Set([...LOOPBACK, ...hosts.map((host) => host.toLowerCase())]);
    this.#scheme = scheme;
  }

  /** check throws Refused (403, or 400 for a header that comes twice). */
  check(request: IncomingMessage): void {
    refuseTwice(request.rawHeaders);
    const host = (request.headers.host ?? "").toLowerCase();
    const local = request.socket.localAddress?.replace(/^::ffff:/, "");
    const name = nameOf(host);
    if (name === null || !(this.#hosts.has(name) || name === local)) {
      throw new Refused("foreign-host", "use an address of this server, or a name in its certificate");
    }
    const { origin } = request.headers;
    const foreign = origin !== undefined && origin.toLowerCase() !== `${this.#scheme}://${host}`;
    const site = request.headers["sec-fetch-site"];
    if (foreign || site === "cross-site" || site === "same-site") {
      throw new Refused("foreign-origin", "a page of another origin may not ask this server");
    }
  }
}

/** certificateHosts lists the DNS names and addresses of a chain's first certificate. */
export function certificateHosts(chainPem: string): readonly string[] {
  const names = new X509Certificate(chainPem).subjectAltName ?? "";
  return names.split(", ").flatMap((part) => {
    const [, name] = /^(?:DNS|IP Address):(.+)$/.exec(part) ?? [];
    return name === undefined ? [] : [nameOf(name.includes(":") ? `[${name}]` : name) ?? name];
  });
}

/** What a host and a port may be made of, in ASCII: a name of a server of ours is not longer, and nothing longer is
 *  parsed. */
const HOST = /^[\w.:[\]-]{1,300}$/;

/** nameOf is the host of `host[:port]`, an IPv6 address in its canonical form; null where it is no such thing. */
function nameOf(host: string): string | null {
  if (!HOST.test(host) || !URL.canParse(`http://${host}`)) return null;
  return new URL(`http://${host}`).hostname.replace(/^\[|\]$/g, "");
}

/** Node keeps the first of two such headers, another program in front of it perhaps the last: so neither counts. */
function refuseTwice(rawHeaders: readonly string[]): void {
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? "").toLowerCase();
    if (seen.has(name) && SINGLE.includes(name)) throw new Refused("bad-request", `the header ${name} comes twice`);
    seen.add(name);
  }
}
