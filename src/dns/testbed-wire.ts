import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { HostPort } from "#values";
import { live } from "./live.ts";
import type { ResponderOptions } from "./responder.ts";
import type { Responder } from "./responder-stats.ts";
import { type Asked, asked, type MessageOptions, message, octets16 } from "./testbed.ts";
import type { UdpMode } from "./udp-thread.ts";
import { concat } from "./wire-name.ts";
import type { ZoneService } from "./zone.ts";

/** For tests of rows: a responder with a zone, asked over real sockets, octet by octet. */
export interface Wire extends AsyncDisposable {
  readonly responder: Responder;
  readonly at: HostPort;
  /** all sends messages and gives every reply that comes to them. */
  all(queries: readonly Uint8Array[], tcp?: boolean): Promise<readonly Uint8Array[]>;
  /** raw gives the reply to one message; none: silence. */
  raw(query: Uint8Array, tcp?: boolean): Promise<Uint8Array>;
  send(query: Uint8Array, tcp?: boolean): Promise<Asked>;
  ask(name: string, type: string | number, options?: MessageOptions & { readonly tcp?: boolean }): Promise<Asked>;
}

export const MODES: readonly UdpMode[] = ["ffi", "dgram"];

/** A query whose reply shows that all messages before it were dealt with: sockets and responder keep the order. */
const LAST = message(".", "NS", { id: 0x5e5e });
const LAST_REPLY = Buffer.from(message(".", "NS", { id: 0x5e5e, flags: 0x8005 }));

/** wire starts a responder and waits until it answers with all of the services. */
export async function wire(
  mode: UdpMode,
  services: readonly ZoneService[],
  options: Partial<ResponderOptions> = {},
): Promise<Wire> {
  const bed = await live({ mode, ...options });
  bed.responder.update([
    ...services.map((service) => ({ kind: "service", service }) as const),
    { kind: "synced", synced: true },
  ]);
  await bed.responder.applied();
  const udp = await udpClient(bed.at);
  const tcp = tcpClient(bed.at);
  const all = (queries: readonly Uint8Array[], byTcp = false) => (byTcp ? tcp : udp).all(queries);
  const raw = async (query: Uint8Array, byTcp = false) => (await all([query], byTcp))[0] ?? new Uint8Array(0);
  const send = async (query: Uint8Array, byTcp = false) => asked(await raw(query, byTcp));
  return {
    responder: bed.responder,
    at: bed.at,
    all,
    raw,
    send,
    ask: (name, type, { tcp: byTcp = false, ...rest } = {}) => send(message(name, type, rest), byTcp),
    [Symbol.asyncDispose]: async () => {
      udp.close();
      tcp.close();
      await bed.stop();
    },
  };
}

interface Client {
  all(queries: readonly Uint8Array[]): Promise<readonly Uint8Array[]>;
  close(): void;
}

/** Gathering collects replies up to the last one. */
class Gathering {
  readonly #got: Uint8Array[] = [];
  readonly #done = Promise.withResolvers<readonly Uint8Array[]>();

  add(reply: Buffer): void {
    if (LAST_REPLY.equals(reply)) this.#done.resolve(this.#got);
    else this.#got.push(Uint8Array.from(reply));
  }

  fail(reason: Error): void {
    this.#done.reject(reason);
  }

  get done(): Promise<readonly Uint8Array[]> {
    return this.#done.promise;
  }
}

/** udpClient has one socket, on the server's own address or another of the loopback. */
export async function udpClient(at: HostPort, from?: string): Promise<Client> {
  const socket = createSocket({ type: at.host.includes(":") ? "udp6" : "udp4", recvBufferSize: 4 << 20 });
  if (from !== undefined) await new Promise<void>((done) => socket.bind(0, from, done));
  socket.connect(at.port, at.host);
  await once(socket, "connect");
  let gathering = new Gathering();
  socket.on("message", (reply) => gathering.add(reply));
  return {
    all: (queries) => {
      gathering = new Gathering();
      for (const query of queries) socket.send(query);
      socket.send(LAST);
      return gathering.done;
    },
    close: () => socket.close(),
  };
}

/** tcpClient connects when it is first needed, and again after an end. */
function tcpClient(at: HostPort): Client {
  let socket: Socket | undefined;
  let gathering = new Gathering();
  const open = (): Socket => {
    const opened = connect({ host: at.host, port: at.port, noDelay: true });
    let rest = Buffer.alloc(0);
    opened.on("data", (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
        const end = 2 + rest.readUInt16BE(0);
        gathering.add(rest.subarray(2, end));
        rest = rest.subarray(end);
      }
    });
    opened.on("error", () => {});
    opened.on("close", () => {
      socket = undefined;
      gathering.fail(new Error("the server closed the connection"));
    });
    return opened;
  };
  return {
    all: (queries) => {
      socket ??= open();
      gathering = new Gathering();
      socket.write(concat(...[...queries, LAST].map((query) => concat(octets16(query.length), query))));
      return gathering.done;
    },
    close: () => socket?.destroy(),
  };
}
