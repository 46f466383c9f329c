import { createSocket, type Socket } from "node:dgram";
import { readFileSync } from "node:fs";
import { encodeQuestion, readAnswer } from "./dns-message.ts";
import { fetchPage } from "./fetch-page.ts";

/** WatchAsk is a list of names that will appear, or go, one after the other. */
export interface WatchAsk {
  readonly server: string;
  readonly names: readonly { readonly name: string; readonly port: number }[];
  /** `appear`: until a name has addresses, then a connection at once. `vanish`: until NXDOMAIN. */
  readonly until: "appear" | "vanish";
}

/** Seen is one line of output per name. Stamps are those of stampMs. */
export interface Seen {
  readonly name: string;
  readonly atMs: number;
  readonly addresses: readonly string[];
  /** The connection that was made at once; null where none was asked for. */
  readonly page: { readonly good: boolean; readonly ms: number; readonly text: string } | null;
}

const POLL_MS = 2;

/** watchNames asks for one name every 2 ms over one socket, until it is so, then goes on to the next. */
async function watchNames({ server, names, until }: WatchAsk): Promise<void> {
  const socket = createSocket("udp4");
  await new Promise<void>((bound) => socket.bind(0, bound));
  note({ watching: true });
  for (const { name, port } of names) {
    const seen = await poll(socket, server, name, until);
    const page = until === "appear" ? await fetchPage(seen.addresses[0] ?? "", port) : null;
    note({ name, ...seen, page });
  }
  socket.close();
}

/** Every question has an id of its own, so that an answer to an earlier name is not taken for one to this. */
let nextId = 0;

function poll(
  socket: Socket,
  server: string,
  name: string,
  until: WatchAsk["until"],
): Promise<Pick<Seen, "atMs" | "addresses">> {
  const first = nextId;
  return new Promise((resolve) => {
    const send = (): void => {
      nextId = (nextId + 1) & 0xffff;
      socket.send(encodeQuestion(nextId, name), 53, server);
    };
    const hear = (message: Buffer): void => {
      const atMs = Number(process.hrtime.bigint()) / 1e6;
      const answer = readAnswer(message);
      const ours = answer !== undefined && ((answer.id - first) & 0xffff) - 1 < 0x7fff && answer.id !== first;
      if (!ours) return;
      const reached = until === "appear" ? answer.addresses.length > 0 : answer.rcode === 3;
      if (!reached) return;
      clearInterval(timer);
      socket.off("message", hear);
      resolve({ atMs, addresses: answer.addresses });
    };
    socket.on("message", hear);
    const timer = setInterval(send, POLL_MS);
    send();
  });
}

function note(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

// Runs in a pod: `watch-name.ts ASK.json`.
if (import.meta.main) await watchNames(JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as WatchAsk);
