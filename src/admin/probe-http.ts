import type { Clock, Log } from "#life";
import { createHttpRoom, type HttpRoom } from "./http-room.ts";
import type { Place } from "./listen.ts";
import { Refused } from "./problem.ts";

export interface ProbeAnswer {
  readonly status: number;
  readonly body: string;
  /** Content type; plain text where none is given. */
  readonly type?: string;
}

export interface ProbeHttpOptions {
  readonly name: string;
  readonly listen: Place;
  /** What a path answers; every other path is 404. */
  readonly paths: Readonly<Record<string, () => ProbeAnswer | Promise<ProbeAnswer>>>;
  readonly clock: Clock;
  readonly log: Log;
}

/** createProbeHttp serves fixed texts to probes and scrapers, by whatever name they call this host: there is nothing
 *  that a foreign page could learn or do. */
export function createProbeHttp({ name, listen, paths, clock, log }: ProbeHttpOptions): HttpRoom {
  return createHttpRoom({
    name,
    listen,
    tls: null,
    guard: { check: () => {} },
    clock,
    log,
    respond: async ({ url = "", method = "" }, response) => {
      const path = url.split("?", 1)[0] ?? "";
      const answer = Object.hasOwn(paths, path) ? paths[path] : undefined;
      if (answer === undefined) throw new Refused("not-found", "there is no such path");
      if (method !== "GET" && method !== "HEAD") throw new Refused("method-not-allowed", "this path takes GET, HEAD");
      const { status, body, type = "text/plain; charset=utf-8" } = await answer();
      response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
      response.end(method === "HEAD" ? "" : body);
    },
  });
}
