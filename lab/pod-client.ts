import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { get as httpGet, type IncomingMessage } from "node:http";
import { isPattern } from "./pattern.ts";

/** Every verb prints one JSON value per answer. Names are asked through the system's resolver, so through the
 *  /etc/resolv.conf of the place, as any program there does. */
const VERBS: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  resolve: async ([name = ""]) => print((await lookup(name, { all: true, family: 4 })).map((found) => found.address)),
  get: async ([url = "", times = "1"]) => {
    for (let i = 0; i < Number(times); i++) print(await get(url));
  },
  udp: async ([host = "", port = "", text = ""]) => print(await udp(host, Number(port), text)),
  download: async ([url = ""]) => print(await download(url)),
};

/** Longer than TCP needs to send a lost SYN twice more (RFC 6298: after 1 s and 3 s). */
const ANSWER_MS = 4000;
const DATAGRAM_MS = 1000;
const DATAGRAM_TRIES = 3;

/** Each request is a connection of its own: a Service chooses its endpoint per connection. */
async function request(url: string): Promise<IncomingMessage> {
  const sent = httpGet(url, { agent: false, family: 4, timeout: ANSWER_MS });
  sent.on("timeout", () => sent.destroy(new Error(`no answer from ${url} within ${ANSWER_MS} ms`)));
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return response;
}

/** The address that was connected to is given beside the page: what the name meant at this moment. */
async function get(url: string): Promise<unknown> {
  const response = await request(url);
  const address = response.socket.remoteAddress;
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode, address, body: Buffer.concat(chunks).toString("utf8") };
}

/** A datagram may be lost, so it is sent up to three times. */
async function udp(host: string, port: number, text: string): Promise<unknown> {
  const { address } = await lookup(host, { family: 4 });
  const socket = createSocket("udp4");
  try {
    for (let i = 0; i < DATAGRAM_TRIES; i++) {
      const reply = once(socket, "message", { signal: AbortSignal.timeout(DATAGRAM_MS) });
      socket.send(text, port, address);
      const got = await reply.catch(() => undefined);
      if (got !== undefined) return { address, body: String(got[0]) };
    }
    throw new Error(`no datagram from ${address}:${port}`);
  } finally {
    socket.close();
  }
}

/** download says when it begins, then how it went: whether each byte was the one expected, and the longest silence. */
async function download(url: string): Promise<unknown> {
  const response = await request(url);
  print({ started: true, length: Number(response.headers["content-length"]) });
  let bytes = 0;
  let good = true;
  let last = performance.now();
  let gapMs = 0;
  for await (const chunk of response) {
    const now = performance.now();
    gapMs = Math.max(gapMs, now - last);
    last = now;
    good &&= isPattern(chunk as Buffer, bytes);
    bytes += (chunk as Buffer).length;
  }
  return { done: true, bytes, good, gapMs: Math.round(gapMs) };
}

/** One line per value, so that a reader of the log sees each as soon as it is there. */
function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

if (import.meta.main) {
  const [verb = "", ...args] = process.argv.slice(2);
  try {
    const run = VERBS[verb];
    if (run === undefined) throw new Error(`verb must be one of ${Object.keys(VERBS).join(", ")}: ${verb}`);
    await run(args);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
