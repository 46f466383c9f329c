import type { Answerer } from "./answerer.ts";
import type { Counters } from "./counters.ts";
import { HEADER, MAX_MESSAGE } from "./iana.ts";
import { ListenerWatch } from "./listener-watch.ts";
import type { TcpAnswer } from "./tcp-connection.ts";
import type { WatchShare } from "./watch-share.ts";

/** TcpClient is who asks, beside the address, and at which listener. */
export interface TcpClient {
  readonly listener: number;
  readonly port: number;
}

/** ListenerAnswer is TcpAnswer for a client that is known. */
export type ListenerAnswer = (...asked: [...Parameters<TcpAnswer>, TcpClient]) => ReturnType<TcpAnswer>;

/** tcpAnswer answers messages of TCP connections one after another in one memory: the query first, the reply behind it.
 *  It runs in the thread that writes the zone, so nothing it looks at can go meanwhile. */
export function tcpAnswer(answerer: Answerer, counters: Counters, watch: WatchShare | undefined): ListenerAnswer {
  const listeners = watch?.listeners ?? 0;
  const watches = Array.from({ length: listeners }, (_, id) => new ListenerWatch(watch as WatchShare, id, true));
  const out = MAX_MESSAGE + 1;
  const octets = new Uint8Array(out + MAX_MESSAGE + 1);
  return (message, source, { listener, port }) => {
    counters.add("tcpQueries");
    octets.set(message);
    answerer.asker.set(source, 0, source.length);
    answerer.watch = watches[listener];
    answerer.watch?.begin();
    answerer.watch?.asker(answerer.asker, port);
    let length = 0;
    try {
      length = answerer.answer(octets, 0, message.length, out, true);
    } catch {
      counters.add("faults"); // a bug costs one reply, never the listener
    }
    answerer.watch?.end();
    if (length < HEADER) return undefined;
    counters.response(true, answerer.rcode);
    const reply = Buffer.allocUnsafe(2 + length);
    reply.writeUInt16BE(length, 0);
    reply.set(octets.subarray(out, out + length), 2);
    return reply;
  };
}
