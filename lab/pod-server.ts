import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { patternAt } from "./pattern.ts";

/** Answers carry who answers and whom it saw: the source address as the pod's own socket has it. */
export interface PodIdentity {
  readonly pod: string;
  readonly cluster: string;
  readonly marker: string;
}

/** 400 kB/s: a download lasts as long as a test wants, and any pause longer than a chunk shows. */
const CHUNK_BYTES = 8192;
const CHUNK_EVERY_MS = 20;

/** page is four lines `key: value`, for people and for parsePage. */
export function page({ pod, cluster, marker }: PodIdentity, client: string): string {
  return `pod: ${pod}\ncluster: ${cluster}\nclient: ${client}\nmarker: ${marker}\n`;
}

/** servePod listens for HTTP and UDP on every address of the pod. `GET /` answers the page; `GET /download?seconds=N`
 *  sends N seconds' worth of a known pattern, paced. A datagram is answered with the page and its own text. */
export async function servePod(
  identity: PodIdentity,
  ports: { readonly http: number; readonly udp: number },
): Promise<void> {
  const http = createServer((request, response) => void answer(identity, request, response));
  http.listen(ports.http, "0.0.0.0");
  const udp = createSocket("udp4");
  udp.on("message", (message, { address, port }) => {
    udp.send(`${page(identity, address)}text: ${message.toString("utf8")}\n`, port, address);
  });
  udp.bind(ports.udp, "0.0.0.0");
  await Promise.all([once(http, "listening"), once(udp, "listening")]);
}

/** Any other path is the page too: what is asked for does not matter here. */
async function answer(identity: PodIdentity, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://pod");
  if (url.pathname === "/download") {
    await download(response, Number(url.searchParams.get("seconds") ?? "3"));
    return;
  }
  const text = page(identity, request.socket.remoteAddress ?? "unknown");
  response.writeHead(200, { "content-type": "text/plain", "content-length": Buffer.byteLength(text) }).end(text);
}

/** The length is announced, so that a connection which is cut cannot pass for a whole download. */
async function download(response: ServerResponse, seconds: number): Promise<void> {
  const chunks = Math.ceil((seconds * 1000) / CHUNK_EVERY_MS);
  response.writeHead(200, { "content-length": chunks * CHUNK_BYTES });
  for (let i = 0; i < chunks && !response.destroyed; i++) {
    response.write(patternAt(i * CHUNK_BYTES, CHUNK_BYTES));
    await sleep(CHUNK_EVERY_MS);
  }
  response.end();
}

// A pod runs this file as its program: `ready` on stdout says that both ports are open.
if (import.meta.main) {
  const option = { type: "string" } as const;
  const { values } = parseArgs({
    options: { pod: option, cluster: option, marker: option, http: option, udp: option },
  });
  const { pod = "pod", cluster = "cluster", marker = "" } = values;
  await servePod({ pod, cluster, marker }, { http: Number(values.http), udp: Number(values.udp) });
  process.stdout.write("ready\n");
}
