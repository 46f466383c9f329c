import { createSocket } from "node:dgram";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { encodeQuestion, readAnswer } from "./dns-message.ts";

/** DnsStreamed is what became of a steady stream of questions. An outage is a run of questions without an answer, or with a
 *  wrong one, by the asker's clock. */
export interface DnsStreamed {
  readonly asked: number;
  readonly failed: number;
  /** Questions that got no address although they were answered: worse than silence, since nobody asks again. */
  readonly wrong: number;
  readonly outages: readonly { readonly atMs: number; readonly ms: number }[];
}

/** How long an answer may take before its question has failed. */
const PATIENCE_MS = 500;
/** Good answers between two failures make two outages of them only if they last so long: a restart may stutter. */
const JOIN_MS = 500;

/** ask asks for one name at a pace until it is told to stop by SIGTERM, and then says how it was. */
async function ask(server: string, name: string, perSecond: number): Promise<void> {
  const socket = createSocket("udp4");
  socket.on("error", () => {}); // "port unreachable" while nobody listens: a question without an answer
  const sentAt = new Map<number, number>();
  const failures: number[] = [];
  let [asked, wrong] = [0, 0];
  socket.on("message", (message) => {
    const answer = readAnswer(message);
    const at = answer === undefined ? undefined : sentAt.get(answer.id);
    if (answer === undefined || at === undefined) return;
    sentAt.delete(answer.id);
    if (answer.addresses.length > 0) return;
    if (answer.rcode !== 2) wrong += 1; // SERVFAIL is asked again elsewhere
    failures.push(at);
  });
  socket.bind(0);
  await once(socket, "listening");
  const expire = (now: number): void => {
    for (const [id, at] of sentAt) {
      if (now - at < PATIENCE_MS) break;
      sentAt.delete(id);
      failures.push(at);
    }
  };
  const timer = setInterval(() => {
    const now = performance.now();
    asked += 1;
    sentAt.set(asked & 0xffff, now);
    socket.send(encodeQuestion(asked & 0xffff, name), 53, server, () => {});
    expire(now);
  }, 1000 / perSecond);
  process.stdout.write("asking\n");
  await once(process, "SIGTERM");
  clearInterval(timer);
  await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
  expire(Number.POSITIVE_INFINITY);
  socket.close();
  const streamed: DnsStreamed = { asked, failed: failures.length, wrong, outages: outagesOf(failures) };
  process.stdout.write(`${JSON.stringify(streamed)}\n`);
}

/** outagesOf joins failures that lie close together; times in milliseconds. */
export function outagesOf(failures: readonly number[]): DnsStreamed["outages"] {
  const outages: { atMs: number; ms: number }[] = [];
  for (const at of [...failures].sort((a, b) => a - b)) {
    const last = outages.at(-1);
    if (last !== undefined && at - (last.atMs + last.ms) < JOIN_MS) last.ms = at - last.atMs;
    else outages.push({ atMs: at, ms: 0 });
  }
  return outages;
}

if (import.meta.main) {
  const option = { type: "string" } as const;
  const { values } = parseArgs({ options: { server: option, name: option, rate: option } });
  await ask(values.server ?? "127.0.0.1", values.name ?? "", Number(values.rate ?? "100"));
}
