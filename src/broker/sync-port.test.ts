import { once } from "node:events";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { expect, test } from "vitest";
import { TestBroker } from "./testbed.ts";

test("run() ends although somebody is still at the TLS handshake, or keeps a connection open", async () => {
  const broker = await TestBroker.open();
  const mute = connect(broker.port, "127.0.0.1");
  const idle = connectTls({ port: broker.port, host: "127.0.0.1", rejectUnauthorized: false });
  await Promise.all([once(mute, "connect"), once(idle, "secureConnect")]);
  for (const socket of [mute, idle]) socket.on("error", () => {});
  const gone = [mute, idle].map((socket) => once(socket, "close"));
  await broker[Symbol.asyncDispose]();
  await Promise.all(gone);
});

test("older TLS than 1.3 is not spoken", async () => {
  await using broker = await TestBroker.open();
  const old = connectTls({ port: broker.port, host: "127.0.0.1", rejectUnauthorized: false, maxVersion: "TLSv1.2" });
  await expect(once(old, "secureConnect")).rejects.toThrow(/version/);
});

test("other requests than sessions see nothing", async () => {
  await using broker = await TestBroker.open();
  const socket = connectTls({ port: broker.port, host: "127.0.0.1", rejectUnauthorized: false });
  socket.write("GET /v1/clusters HTTP/1.1\r\nHost: broker\r\nConnection: close\r\n\r\n");
  const [answer] = (await once(socket, "data")) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 404 /);
  socket.destroy();
});
