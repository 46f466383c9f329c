import { isIP } from "node:net";
import { workerData } from "node:worker_threads";
import type { ThroughputAnswer, ThroughputOrder, ThroughputSetup } from "./messages.ts";
import { measureThroughput } from "./throughput-client.ts";
import { createThroughputServer } from "./throughput-server.ts";

/** The thread that moves bulk data, so that neither the main thread nor the probes wait for it. */

/** The global address may come to this machine after us. */
const RELISTEN_MS = 500;

main(workerData as ThroughputSetup);

/** main serves tests and runs ours, one at a time each, until told to stop. */
function main({ address, port, mail }: ThroughputSetup): void {
  const life = new AbortController();
  let peers: ReadonlySet<string> = new Set();
  const post = (message: ThroughputAnswer): void => mail.postMessage(message);
  let running: AbortController | null = null;
  listen({ address, port, isPeer: (peer) => peers.has(peer), post, signal: life.signal });
  const measure = async (to: ThroughputOrder & { readonly kind: "measure" }): Promise<void> => {
    running?.abort();
    running = new AbortController();
    const ask = { from: address, to: to.to, port, durationMs: to.durationMs };
    const result = await measureThroughput(ask, AbortSignal.any([life.signal, running.signal]));
    if (!life.signal.aborted) post({ kind: "measured", run: to.run, result });
  };
  mail.on("message", (order: ThroughputOrder) => {
    if (order.kind === "peers") peers = new Set(order.addresses.filter((peer) => isIP(peer) !== 0));
    if (order.kind === "measure") void measure(order);
    if (order.kind === "cancel") running?.abort();
    if (order.kind !== "stop") return;
    life.abort();
    mail.close();
  });
}

/** What listen needs. */
interface Listening {
  readonly address: string;
  readonly port: number;
  readonly isPeer: (address: string) => boolean;
  readonly post: (message: ThroughputAnswer) => void;
  readonly signal: AbortSignal;
}

/** listen serves until the signal aborts, and tries again while the address is not on the machine yet. */
function listen({ address, port, isPeer, post, signal }: Listening): void {
  const server = createThroughputServer({ now: () => performance.now(), isPeer });
  const sockets = new Set<import("node:net").Socket>();
  let again: NodeJS.Timeout | null = null;
  const start = (): void => void server.listen({ host: address, port, exclusive: true });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("listening", () => post({ kind: "listening", fault: null }));
  server.on("error", (error) => {
    post({ kind: "listening", fault: `TCP port ${port} of ${address}: ${error.message}` });
    again = setTimeout(start, RELISTEN_MS);
  });
  signal.addEventListener("abort", () => {
    if (again !== null) clearTimeout(again);
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  start();
}
