import type { Answerer } from "./answerer.ts";
import type { Counters } from "./counters.ts";
import { HEADER, MAX_MESSAGE } from "./iana.ts";
import type { TcpAnswer } from "./tcp-connection.ts";

/** tcpAnswer answers messages of TCP connections one after another in one memory: the query first, the reply behind it.
 *  It runs in the thread that writes the zone, so nothing it looks at can go meanwhile. */
export function tcpAnswer(answerer: Answerer, counters: Counters): TcpAnswer {
  const out = MAX_MESSAGE + 1;
  const octets = new Uint8Array(out + MAX_MESSAGE + 1);
  return (message, source) => {
    counters.add("tcpQueries");
    octets.set(message);
    answerer.asker.set(source, 0, source.length);
    let length = 0;
    try {
      length = answerer.answer(octets, 0, message.length, out, true);
    } catch {
      counters.add("faults"); // a bug costs one reply, never the listener
    }
    if (length < HEADER) return undefined;
    counters.response(true, answerer.rcode);
    const reply = Buffer.allocUnsafe(2 + length);
    reply.writeUInt16BE(length, 0);
    reply.set(octets.subarray(out, out + length), 2);
    return reply;
  };
}
