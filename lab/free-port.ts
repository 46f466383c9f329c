import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { type EventEmitter, once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";

/** Above what services are known by. */
const LOWEST = 10_000;
const TRIES = 100;
/** Where Linux takes ports for whoever asks for none (ip_local_port_range), unless it says otherwise. */
const EPHEMERAL = 32_768;

const given = new Set<number>();

/** freePort finds a port of the loopback that is free for UDP and TCP. It lies below those that the kernel gives to
 *  clients: one of these would, now and then, be a client's by the time that a server binds it. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = randomInt(LOWEST, lowestEphemeral());
    if (given.has(port)) continue;
    const [udp, tcp] = [createSocket("udp4"), createServer()];
    const free = await Promise.all([opened(udp.bind(port, "127.0.0.1")), opened(tcp.listen(port, "127.0.0.1"))]);
    await Promise.all([closed(udp), closed(tcp)]);
    if (!free.every(Boolean)) continue;
    given.add(port);
    return port;
  }
  throw new Error("there is no free port on the loopback");
}

function lowestEphemeral(): number {
  const [low] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").trim().split(/\s+/).map(Number);
  return low !== undefined && low > LOWEST + 1000 ? low : EPHEMERAL;
}

async function opened(socket: EventEmitter): Promise<boolean> {
  return once(socket, "listening").then(
    () => true,
    () => false,
  );
}

/** What never opened cannot be closed. */
function closed(socket: { close(done: () => void): unknown }): Promise<void> {
  return new Promise((resolve) => {
    try {
      socket.close(() => resolve());
    } catch {
      resolve();
    }
  });
}
