import { createSocket, type SocketType } from "node:dgram";
import { once } from "node:events";
import { expect, test } from "vitest";
import { checkPort, portFault } from "./udp-port.ts";

test.each<[SocketType, string]>([
  ["udp4", "127.0.0.1"],
  ["udp4", "0.0.0.0"],
  ["udp6", "::1"],
])("checkPort() sees a port that a %s socket on %s has, and that it is free again", async (type, address) => {
  const socket = createSocket(type);
  socket.bind(0, address);
  await once(socket, "listening");
  const { port } = socket.address();
  expect(await checkPort(1, port)).toEqual({ ok: false, error: portFault(1, port) });
  socket.close();
  await once(socket, "close");
  expect(await checkPort(1, port)).toEqual({ ok: true, value: null });
});

test("portFault() names the port, the interface and the range to open", () => {
  expect(portFault(3, 51823)).toBe(
    "UDP port 51823 of mrd3 is taken by another program: end it or choose another --listen-port; the peers need UDP 51820-51827 open to this host",
  );
});
