import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { Query } from "./random-query.ts";
import { type Message, readMessage, typeCode } from "./read-message.ts";

const UNDER_WAY = 64;
const PATIENCE_MS = 5000;

/** askAll asks a server on loopback by UDP, some at a time, and gives each reply to `hear` with the number of its query.
 *  Nothing may be lost: it rejects when no reply comes for five seconds. */
export async function askAll(
  port: number,
  queries: readonly Query[],
  hear: (n: number, reply: Message) => void,
): Promise<void> {
  const socket = createSocket({ type: "udp4", recvBufferSize: 1 << 20 });
  socket.connect(port, "127.0.0.1");
  await once(socket, "connect");
  const done = Promise.withResolvers<void>();
  const waiting = new Set<number>();
  let next = 0;
  const more = (): void => {
    while (next < queries.length && waiting.size < UNDER_WAY) {
      waiting.add(next & 0xffff);
      socket.send(encode(next & 0xffff, queries[next] as Query));
      next += 1;
    }
  };
  const timer = setTimeout(() => done.reject(new Error(`no reply to ${waiting.size} queries`)), PATIENCE_MS);
  let heard = 0;
  socket.on("message", (octets) => {
    timer.refresh();
    try {
      const reply = readMessage(octets);
      if (!waiting.delete(reply.id)) throw new Error("a reply that nobody waits for");
      // The last query with this id, of those sent.
      hear(next - 1 - ((next - 1 - reply.id) & 0xffff), reply);
      heard += 1;
      if (heard === queries.length) done.resolve();
      else more();
    } catch (reason) {
      done.reject(new Error(`${String(reason)}: ${octets.toString("hex")}`));
    }
  });
  more();
  try {
    await done.promise;
  } finally {
    clearTimeout(timer);
    socket.close();
  }
}

function encode(id: number, query: Query): Buffer {
  const edns = query.size !== undefined;
  const name = query.labels.map((text) => Buffer.concat([Uint8Array.of(text.length), Buffer.from(text, "latin1")]));
  const opt = edns ? Buffer.concat([Uint8Array.of(0), words(41, query.size ?? 0, 0, 0, 0)]) : Buffer.alloc(0);
  const header = words(id, 0, 1, 0, 0, edns ? 1 : 0);
  return Buffer.concat([header, ...name, Uint8Array.of(0), words(typeCode(query.type), query.class), opt]);
}

function words(...values: readonly number[]): Buffer {
  return Buffer.from(values.flatMap((value) => [(value >>> 8) & 255, value & 255]));
}
