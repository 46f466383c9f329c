import { createSocket } from "node:dgram";
import { once } from "node:events";
import { expect, test } from "vitest";
import { freePort } from "./free-port.ts";

test("freePort() gives no port twice, and none that a client may be given", async () => {
  const ports = await Promise.all(Array.from({ length: 30 }, freePort));
  expect(new Set(ports).size).toBe(30);
  const client = createSocket("udp4").bind(0, "127.0.0.1");
  await once(client, "listening");
  expect(Math.max(...ports)).toBeLessThan(client.address().port);
  client.close();
});

test("freePort() gives a port that UDP and TCP can have", async () => {
  const socket = createSocket("udp4").bind(await freePort(), "127.0.0.1");
  await once(socket, "listening");
  socket.close();
});
