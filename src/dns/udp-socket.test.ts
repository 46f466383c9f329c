import { createSocket } from "node:dgram";
import { describe, expect, test } from "vitest";
import { BATCH, createBatchMemory, MMSGHDR } from "./batch-memory.ts";
import { ip } from "./example-services.ts";
import { type Libc, loadLibc } from "./libc.ts";
import { openUdpSocket, socketAddress } from "./udp-socket.ts";

async function libc(): Promise<Libc> {
  const loaded = await loadLibc();
  if (!loaded.ok) throw new Error(loaded.error);
  return loaded.value;
}

describe("openUdpSocket()", () => {
  test("binds what it was given, and tells the port that the kernel chose", async () => {
    const c = await libc();
    for (const host of ["127.0.0.1", "::1", "0.0.0.0", "::"]) {
      const socket = openUdpSocket(c, { host: ip(host), port: 0 });
      if (!socket.ok) throw new Error(socket.error);
      expect(socket.value.port).toBeGreaterThan(0);
      expect(socket.value).toMatchObject({
        family: host.includes(":") ? 6 : 4,
        wildcard: /^(0\.0\.0\.0|::)$/.test(host),
      });
      const again = openUdpSocket(c, { host: ip(host), port: socket.value.port });
      expect(again).toEqual({ ok: false, error: "EADDRINUSE" });
      c.close(socket.value.fd);
    }
  });

  test("IPv4 and IPv6 take the same port side by side", async () => {
    const c = await libc();
    const v6 = openUdpSocket(c, { host: ip("::"), port: 0 });
    if (!v6.ok) throw new Error(v6.error);
    const v4 = openUdpSocket(c, { host: ip("0.0.0.0"), port: v6.value.port });
    expect(v4.ok).toBe(true);
    c.close(v6.value.fd);
    if (v4.ok) c.close(v4.value.fd);
  });

  test("says what is wrong with an address", async () => {
    const c = await libc();
    expect(openUdpSocket(c, { host: ip("192.0.2.1"), port: 0 })).toEqual({ ok: false, error: "EADDRNOTAVAIL" });
  });

  test("a blocked call returns by itself, so that its thread can be stopped", async () => {
    const c = await libc();
    const socket = openUdpSocket(c, { host: ip("127.0.0.1"), port: 0 });
    if (!socket.ok) throw new Error(socket.error);
    const memory = createBatchMemory((buffer) => c.addressOf(buffer));
    const start = performance.now();
    expect(c.recvmmsg(socket.value.fd, memory.received.addresses[0] ?? 0n, BATCH, 0x10000, null)).toBe(-1);
    expect(c.errorCode(c.errno())).toBe("EAGAIN");
    expect(performance.now() - start).toBeLessThan(2000);
    c.close(socket.value.fd);
  });
});

describe("createBatchMemory()", () => {
  test("is laid out as the kernel reads and writes it", async () => {
    const c = await libc();
    const socket = openUdpSocket(c, { host: ip("127.0.0.1"), port: 0 });
    if (!socket.ok) throw new Error(socket.error);
    const client = createSocket("udp4");
    await new Promise<void>((resolve) => client.bind(0, "127.0.0.1", resolve));
    const send = (text: string): Promise<unknown> =>
      new Promise((resolve) => client.send(text, socket.value.port, "127.0.0.1", resolve));
    await send("one");
    await send("three");
    const memory = createBatchMemory((buffer) => c.addressOf(buffer));
    for (let i = 0; i < BATCH; i++) {
      memory.words[(memory.received.headers + i * MMSGHDR.bytes + MMSGHDR.nameLength) >> 2] = 32;
    }
    expect(c.recvmmsg(socket.value.fd, memory.received.addresses[0] ?? 0n, BATCH, 0x10000, null)).toBe(2);
    for (const [i, text] of ["one", "three"].entries()) {
      const length = memory.words[(memory.received.headers + i * MMSGHDR.bytes + MMSGHDR.length) >> 2] ?? 0;
      const at = memory.received.buffers + i * memory.received.bufferBytes;
      expect(Buffer.from(memory.octets.subarray(at, at + length)).toString()).toBe(text);
      const name = memory.octets.subarray(memory.received.names + i * 32, memory.received.names + i * 32 + 8);
      expect(name).toEqual(socketAddress(Uint8Array.of(127, 0, 0, 1), client.address().port).subarray(0, 8));
    }
    client.close();
    c.close(socket.value.fd);
  });

  test("sending and receiving share no octet", () => {
    const { received, sent, octets } = createBatchMemory(() => 0n);
    expect(received.buffers + BATCH * received.bufferBytes).toBe(sent.headers);
    expect(sent.buffers + BATCH * sent.bufferBytes).toBe(octets.length);
    expect(sent.bufferBytes).toBeGreaterThanOrEqual(1232);
  });
});

describe("loadLibc()", () => {
  test("names errors as Node does", async () => {
    const c = await libc();
    expect([c.errorCode(98), c.errorCode(11), c.errorCode(99_999)]).toEqual(["EADDRINUSE", "EAGAIN", "errno 99999"]);
  });
});
