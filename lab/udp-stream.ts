import { createSocket } from "node:dgram";
import { once } from "node:events";
import { parseArgs } from "node:util";

/** Streamed is what the receiver of a stream has to tell. Holes are measured by the sender's clock, so that a busy
 *  receiver makes none. */
export interface Streamed {
  readonly received: number;
  /** Sent and never received, between the first and the last that came. */
  readonly lost: number;
  /** Number of the first that came: those before it are not counted as lost. */
  readonly first: number;
  /** Longest time at the sender between a packet that came and the next that did, where one in between did not. */
  readonly holeMs: number;
  /** Number of times that at least one packet was missing. */
  readonly holes: number;
}

const BYTES = 64;

/** receive takes packets until nothing has come for a while after the first, and says how it was. */
async function receive(port: number, idleMs: number): Promise<void> {
  const socket = createSocket({ type: "udp4", recvBufferSize: 4 << 20 });
  let [first, last, lastSent, received, holeMs, holes] = [-1, -1, 0, 0, 0, 0];
  let idle: NodeJS.Timeout | undefined;
  socket.on("message", (bytes) => {
    const seq = bytes.readUInt32BE(0);
    const sent = bytes.readDoubleBE(4);
    received += 1;
    if (first < 0) first = seq;
    else if (seq > last + 1) {
      holeMs = Math.max(holeMs, sent - lastSent);
      holes += 1;
    }
    if (seq > last) [last, lastSent] = [seq, sent];
    idle?.refresh();
    idle ??= setTimeout(() => socket.close(), idleMs);
  });
  socket.bind(port, "0.0.0.0", () => process.stdout.write("ready\n"));
  await once(socket, "close");
  const streamed: Streamed = { received, lost: last - first + 1 - received, first, holeMs: Math.round(holeMs), holes };
  process.stdout.write(`${JSON.stringify(streamed)}\n`);
}

/** Packets that may be due at once: a timer is a few milliseconds late now and then. */
const MOST_AT_ONCE = 20;

/** send keeps a pace. A sender that was held up for longer goes on from there: what it missed would come in a burst of
 *  hundreds, and be lost in the queues of a network that lost nothing. */
async function send(host: string, port: number, perSecond: number, seconds: number): Promise<void> {
  const socket = createSocket("udp4");
  socket.on("error", () => {}); // an unreachable is one lost packet, which the receiver counts
  const start = performance.now();
  const packet = Buffer.alloc(BYTES);
  const total = perSecond * seconds;
  let missed = 0;
  for (let seq = 0; seq < total; ) {
    const due = Math.ceil(((performance.now() - start) / 1000) * perSecond) - missed;
    missed += Math.max(0, due - seq - MOST_AT_ONCE);
    for (const end = Math.min(total, due, seq + MOST_AT_ONCE); seq < end; seq += 1) {
      packet.writeUInt32BE(seq, 0);
      packet.writeDoubleBE(performance.now() - start, 4);
      socket.send(Buffer.from(packet), port, host, () => {});
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  socket.close();
}

if (import.meta.main) {
  const option = { type: "string" } as const;
  const { values, positionals } = parseArgs({
    options: { to: option, port: option, rate: option, seconds: option, idle: option },
    allowPositionals: true,
  });
  const { to = "", port = "9100", rate = "1000", seconds = "5", idle = "2000" } = values;
  if (positionals[0] === "receive") await receive(Number(port), Number(idle));
  else await send(to, Number(port), Number(rate), Number(seconds));
}
