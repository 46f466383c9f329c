import { connect, type Socket } from "node:net";
import { err, type Ip, ok, type Result } from "#values";
import { bitsPerSecond, decodeTally, encodeAsk, IDLE_MS, TALLY_BYTES, VERDICT } from "./throughput.ts";

export interface ThroughputAsk {
  /** Our own address: the peer serves only addresses it knows. */
  readonly from: Ip;
  readonly to: Ip;
  readonly port: number;
  readonly durationMs: number;
}

/** Large writes: few wake-ups of this thread, which shares its core with the tunnel. */
const CHUNK_BYTES = 256 << 10;
/** The last octets and the tally may take so long. */
const GRACE_MS = 5000;

/** measureThroughput sends for a while and gives the bits per second that the peer counted; the error says what went
 *  wrong on the way. Aborting the signal cuts the connection and is an error too. */
export function measureThroughput(ask: ThroughputAsk, signal: AbortSignal): Promise<Result<number, string>> {
  return new Promise((resolve) => {
    const socket = connect({
      host: ask.to,
      port: ask.port,
      localAddress: ask.from,
      noDelay: true,
      signal: AbortSignal.any([signal, AbortSignal.timeout(ask.durationMs + GRACE_MS)]),
    });
    const seen: Buffer[] = [];
    socket.setTimeout(IDLE_MS, () => socket.destroy(new Error("the peer does not move")));
    socket.on("error", (error) => resolve(err(error.message)));
    socket.on("connect", () => socket.write(encodeAsk(ask.durationMs)));
    socket.once("data", (answer: Buffer) => {
      seen.push(answer.subarray(1));
      socket.on("data", (chunk: Buffer) => void (seen.length < 64 && seen.push(chunk)));
      if (answer[0] === VERDICT.accepted) pump(socket, ask.durationMs);
      else socket.destroy(new Error("the peer is busy with another test"));
    });
    socket.on("close", () => resolve(tallyIn(Buffer.concat(seen))));
  });
}

/** pump keeps the socket's queue full until the time is over, then says FIN. */
function pump(socket: Socket, durationMs: number): void {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let over = false;
  const fill = (): void => {
    while (!over && !socket.destroyed && socket.write(chunk));
  };
  const timer = setTimeout(() => {
    over = true;
    socket.end();
  }, durationMs);
  socket.once("close", () => clearTimeout(timer));
  socket.on("drain", fill);
  fill();
}

/** tallyIn reads what the peer counted out of all that it said after its verdict. */
function tallyIn(bytes: Buffer): Result<number, string> {
  const tally = decodeTally(bytes.subarray(0, TALLY_BYTES));
  return tally.ok ? ok(bitsPerSecond(tally.value)) : err("the peer closed the test before its end");
}
