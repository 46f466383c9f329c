import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { err, familyOf, type HostPort, ok, type Result } from "#values";

/** QueryFault is why there is no answer. */
export interface QueryFault {
  readonly kind: "bad-question" | "unreachable" | "timeout" | "malformed";
  readonly detail: string;
}

/** The octets of a reply, or why there are none. */
type Reply = Result<Uint8Array, QueryFault>;

export interface Exchange {
  readonly server: HostPort;
  readonly message: Uint8Array;
  /** Whether a message is the reply: others on the socket are not even an error. */
  readonly accepts: (reply: Uint8Array) => boolean;
  /** Ends the wait: its reason is a TimeoutError when time ran out. */
  readonly signal: AbortSignal;
}

/** exchangeUdp sends one message from a fresh port and waits for its reply. The connected socket hears only the
 *  server, and hears of it when no one listens there. */
export function exchangeUdp({ server, message, accepts, signal }: Exchange): Promise<Reply> {
  const socket = createSocket(familyOf(server.host) === 4 ? "udp4" : "udp6");
  return settle(
    signal,
    () => socket.close(),
    (done) => {
      socket.on("error", (fault) => done(err({ kind: "unreachable", detail: fault.message })));
      socket.on("message", (reply) => {
        if (accepts(reply)) done(ok(reply));
      });
      socket.connect(server.port, server.host, () => socket.send(message));
    },
  );
}

/** exchangeTcp sends one message over a connection of its own (RFC 7766) and waits for its reply. */
export function exchangeTcp({ server, message, accepts, signal }: Exchange): Promise<Reply> {
  const socket = connect({ host: server.host, port: server.port, noDelay: true });
  let received = Buffer.alloc(0);
  return settle(
    signal,
    () => socket.destroy(),
    (done) => {
      socket.on("error", (fault) => done(err({ kind: "unreachable", detail: fault.message })));
      socket.on("end", () => done(err({ kind: "malformed", detail: "the server closed the connection" })));
      socket.on("data", (chunk: Buffer) => {
        received = Buffer.concat([received, chunk]);
        if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
        const reply = received.subarray(2, 2 + received.readUInt16BE(0));
        done(accepts(reply) ? ok(reply) : err({ kind: "malformed", detail: "a reply to another question" }));
      });
      const length = Buffer.alloc(2);
      length.writeUInt16BE(message.length);
      socket.write(Buffer.concat([length, message]));
    },
  );
}

/** settle waits for the first outcome, then releases the socket. A timeout is an outcome; another abort rejects. */
async function settle(
  signal: AbortSignal,
  release: () => void,
  begin: (done: (reply: Reply) => void) => void,
): Promise<Reply> {
  const outcome = Promise.withResolvers<Reply>();
  const stop = (): void => {
    const reason: unknown = signal.reason;
    if (reason instanceof Error && reason.name === "TimeoutError") {
      outcome.resolve(err({ kind: "timeout", detail: "no reply in time" }));
    } else outcome.reject(reason);
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    signal.throwIfAborted();
    begin(outcome.resolve);
    return await outcome.promise;
  } finally {
    signal.removeEventListener("abort", stop);
    release();
  }
}
