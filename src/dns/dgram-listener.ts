import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { err, familyOf, type HostPort, ok, type Result } from "#values";
import type { Answerer } from "./answerer.ts";
import { RECEIVE_BYTES } from "./batch-memory.ts";
import type { Counters } from "./counters.ts";
import { answersPort } from "./source-port.ts";
import { enterZone, leaveZone, type ZoneMemory } from "./zone-memory.ts";

/** Where replies are written, behind the longest query. */
const OUT = RECEIVE_BYTES;
const MEMORY = OUT + 2048;
const RECEIVE_BUFFER = 4 << 20;

export interface DgramOptions {
  readonly zone: ZoneMemory;
  /** Number of this reader of the zone. */
  readonly reader: number;
  readonly answerer: Answerer;
  readonly counters: Counters;
}

/** openDgram answers UDP by Node's own sockets, one message at a time: for machines without FFI. Bound to all
 *  addresses, the kernel chooses the one that a reply leaves from. An error is a code, `EADDRINUSE`. */
export async function openDgram(listen: HostPort, options: DgramOptions): Promise<Result<Socket, string>> {
  const family = familyOf(listen.host);
  const type = family === 4 ? ({ type: "udp4" } as const) : ({ type: "udp6", ipv6Only: true } as const);
  const socket = createSocket({ ...type, recvBufferSize: RECEIVE_BUFFER });
  try {
    socket.bind({ address: listen.host, port: listen.port, exclusive: true });
    await once(socket, "listening");
  } catch (reason) {
    socket.close();
    return err(reason instanceof Error && "code" in reason ? String(reason.code) : String(reason));
  }
  socket.on("error", () => options.counters.add("sendErrors"));
  serve(socket, options);
  return ok(socket);
}

/** serve copies each query into one memory that is used again: the answerer reads and writes in one place. */
function serve(socket: Socket, options: DgramOptions): void {
  const { counters } = options;
  const memory = new Uint8Array(MEMORY);
  const own = socket.address();
  socket.on("message", (query, { address, port }) => {
    counters.add("udpQueries");
    const length = Math.min(query.length, RECEIVE_BYTES);
    memory.set(query.subarray(0, length));
    options.answerer.asker.setText(address);
    const loop = port === own.port && address === own.address;
    const { watch } = options.answerer;
    watch?.begin();
    watch?.asker(options.answerer.asker, port);
    const replied = answersPort(port) && !loop ? answerOne(options, memory, length) : 0;
    watch?.end();
    if (replied === 0) {
      counters.add("udpDropped");
      return;
    }
    // The socket may keep what it sends until later: it gets a copy.
    socket.send(Buffer.from(memory.subarray(OUT, OUT + replied)), port, address, (fault) => {
      if (fault !== null) counters.add("sendErrors");
    });
  });
}

/** A bug costs one reply, never the listener. */
function answerOne({ answerer, counters, zone, reader }: DgramOptions, memory: Uint8Array, length: number): number {
  enterZone(zone, reader);
  try {
    const replied = answerer.answer(memory, 0, length, OUT, false);
    if (replied > 0) counters.response(false, answerer.rcode);
    if (answerer.truncated) counters.add("truncated");
    return replied;
  } catch {
    counters.add("faults");
    return 0;
  } finally {
    leaveZone(zone, reader);
  }
}
