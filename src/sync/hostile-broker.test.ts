import { hash } from "node:crypto";
import type { Server } from "node:https";
import type { Duplex } from "node:stream";
import { describe, expect, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { MAX_FRAME } from "#wire";
import { call, httpsServer, loginFor, Mailbox, QUICK, welcome } from "./testbed.ts";

const challenge = { t: "challenge", protocol: 1, features: [], nonce: "n".repeat(32), version: "x" };
const login = loginFor({ exporter: Buffer.alloc(32), nonce: Buffer.alloc(24) });
const batch = { t: "batch", revision: 1, put: [], remove: [], snapshot: true, more: false };

/** A broker that has a good certificate and bad manners; `raw` writes octets instead of messages. */
async function hostile(behave: (ws: WebSocket, raw: Duplex) => void): Promise<{
  readonly url: string;
  readonly server: Server;
  readonly codes: Mailbox<number>;
  readonly said: Mailbox<Record<string, unknown>>;
}> {
  const { server, url } = await httpsServer();
  const sockets = new WebSocketServer({ noServer: true });
  const [codes, said] = [new Mailbox<number>(), new Mailbox<Record<string, unknown>>()];
  server.on("upgrade", (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head, (ws) => {
      ws.on("error", () => {});
      ws.on("close", (code) => codes.push(code));
      ws.on("message", (data) => said.push(JSON.parse(String(data)) as Record<string, unknown>));
      ws.once("message", () => behave(ws, socket));
    }),
  );
  return { url, server, codes, said };
}

const say = (ws: WebSocket, ...messages: readonly unknown[]): void => {
  for (const message of messages) ws.send(JSON.stringify(message));
};

describe("a client hangs up on a broker that", () => {
  test.each<[string, (ws: WebSocket, raw: Duplex) => void, number]>([
    ["sends garbage", (ws) => ws.send("{"), 1008],
    ["sends binary frames", (ws) => ws.send(Buffer.from(JSON.stringify(challenge))), 1008],
    ["welcomes before it challenges", (ws) => say(ws, welcome(login)), 1008],
    ["sends records before it welcomes", (ws) => say(ws, batch), 1008],
    ["challenges twice: it may not have proofs made on demand", (ws) => say(ws, challenge, challenge), 1008],
    ["welcomes twice", (ws) => say(ws, challenge, welcome(login), welcome(login)), 1008],
    ["sends 64-bit lengths [CVE-2026-1528]", (_, raw) => raw.write(Buffer.from("817f7fffffffffffffff", "hex")), 1009],
    ["sends too large a frame [CVE-2026-1526]", (ws) => ws.send("x".repeat(MAX_FRAME + 1)), 1009],
    [
      "sends 131,000 fragments [CVE-2026-48779]",
      (_, raw) => raw.write(Buffer.from(`0101${"78"}${"000178".repeat(131_000)}`, "hex")),
      1008,
    ],
  ])("%s", async (_, behave, code) => {
    const { url, server, codes } = await hostile(behave);
    await using caller = call(url, { timing: QUICK });
    expect(await codes.first()).toBe(code);
    expect(caller.states.all).not.toContain("live");
    server.closeAllConnections();
    server.close();
  });
});

describe("a client", () => {
  test.each([
    "permessage-deflate; server_max_window_bits=1000",
    "permessage-deflate; server_max_window_bits=-1",
    "permessage-deflate; server_max_window_bits",
    "permessage-deflate; client_max_window_bits=7",
    "permessage-deflate",
    "x; y=\u0022z",
  ])(
    "[CVE-2026-2229] begins no session under extensions that it has not asked for (%s), and lives",
    async (extensions) => {
      const { server, url } = await httpsServer();
      const [dialed, said] = [new Mailbox<number>(), new Mailbox<Buffer>()];
      server.on("upgrade", ({ headers }, socket) => {
        const key = `${headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`; // RFC 6455, 1.3
        const accept = `Sec-WebSocket-Accept: ${hash("sha1", key, "base64")}`;
        const head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", accept];
        socket.on("error", () => {});
        socket.on("data", (data: Buffer) => said.push(data));
        socket.write(`${[...head, `Sec-WebSocket-Extensions: ${extensions}`].join("\r\n")}\r\n\r\n`);
        dialed.push(dialed.all.length + 1);
      });
      await using _caller = call(url, { timing: QUICK });
      await dialed.first((times) => times === 2);
      expect(said.all).toEqual([]);
      server.closeAllConnections();
      server.close();
    },
  );

  test("proves its key once for each connection, whatever it is asked", async () => {
    const { url, server, said, codes } = await hostile((ws) => say(ws, challenge, challenge, challenge));
    await using _caller = call(url, { timing: QUICK });
    await codes.first();
    expect(said.all.filter(({ t }) => t === "login")).toHaveLength(1);
    server.closeAllConnections();
    server.close();
  });

  test("takes answers to questions that nobody asked for nothing, and fields that it does not know", async () => {
    const { url, server } = await hostile((ws) => {
      say(
        ws,
        { ...challenge, later: 1 },
        { ...welcome(login), later: 1 },
        { t: "ack", id: 99, revision: 1 },
        { ...batch, later: 1 },
      );
    });
    await using caller = call(url);
    await caller.states.first((state) => state === "live");
    server.closeAllConnections();
    server.close();
  });

  test("ends a session whose owner cannot take the welcome, and lives", async () => {
    const { url, server, codes } = await hostile((ws) => say(ws, challenge, welcome(login)));
    const welcomed = (): void => {
      throw new Error("no space left");
    };
    await using _caller = call(url, { welcomed, timing: QUICK });
    expect(await codes.first()).toBe(1011);
    server.closeAllConnections();
    server.close();
  });

  test("stops at once although the broker does not answer the end of the session", async () => {
    const { url, server, said } = await hostile((ws) => {
      say(ws, challenge);
      ws.pause();
    });
    const caller = call(url, { timing: QUICK });
    await said.first(({ t }) => t === "hello");
    await caller[Symbol.asyncDispose]();
    server.closeAllConnections();
    server.close();
  });
});
