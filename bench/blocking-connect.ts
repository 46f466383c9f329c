import { readFileSync } from "node:fs";
import koffi from "koffi";

/** ConnectAsk is a number of connections, made one after the other by blocking calls: what is timed is the handshake,
 *  not an event loop. */
export interface ConnectAsk {
  readonly targets: readonly { readonly address: string; readonly port: number }[];
  readonly count: number;
  /** How many are made before the count begins. */
  readonly warmUp: number;
}

/** Connects is what they took, in microseconds. */
export interface Connects {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly failed: number;
}

/** From <asm-generic/socket.h> and <bits/socket.h>, the same on x86-64 and arm64. */
const AF_INET = 2;
const SOCK_STREAM = 1;
const SOL_SOCKET = 1;
const SO_LINGER = 13;

const libc = koffi.load("libc.so.6");
const socket = libc.func("int socket(int, int, int)");
const setsockopt = libc.func("int setsockopt(int, int, int, const uint8_t *, uint32_t)");
const connect = libc.func("int connect(int, const uint8_t *, uint32_t)");
const close = libc.func("int close(int)");

/** Closing with a linger of 0 sends RST: no port waits in TIME_WAIT, however many connections are made. */
const LINGER = Buffer.from(Uint32Array.of(1, 0).buffer);

/** connectMany times each connect(2) alone. */
function connectMany({ targets, count, warmUp }: ConnectAsk): Connects {
  const addresses = targets.map(sockaddr);
  const spans: number[] = [];
  let failed = 0;
  for (let i = -warmUp; i < count; i++) {
    const address = addresses[(i + warmUp) % addresses.length] ?? Buffer.alloc(16);
    const fd = socket(AF_INET, SOCK_STREAM, 0) as number;
    setsockopt(fd, SOL_SOCKET, SO_LINGER, LINGER, LINGER.length);
    const start = process.hrtime.bigint();
    const code = connect(fd, address, address.length) as number;
    const span = Number(process.hrtime.bigint() - start) / 1000;
    close(fd);
    if (i < 0) continue;
    if (code === 0) spans.push(span);
    else failed += 1;
  }
  spans.sort((a, b) => a - b);
  const at = (q: number): number => spans[Math.ceil(q * spans.length) - 1] ?? Number.NaN;
  return { p50Us: at(0.5), p99Us: at(0.99), failed };
}

/** struct sockaddr_in: family in host order, port and address in network order, eight octets of nothing. */
function sockaddr({ address, port }: ConnectAsk["targets"][number]): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  Buffer.from(address.split(".").map(Number)).copy(bytes, 4);
  return bytes;
}

// Runs in a place: `blocking-connect.ts ASK.json`.
if (import.meta.main) {
  const ask = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as ConnectAsk;
  process.stdout.write(`${JSON.stringify(connectMany(ask))}\n`);
}
