import { beforeAll, describe, expect, test } from "vitest";
import { expect as must, parseIp } from "#values";
import { Datagrams } from "./datagrams.ts";
import { type Libc, loadLibc } from "./libc.ts";
import { sockaddrOf } from "./sockaddr.ts";

let libc: Libc;

beforeAll(async () => {
  libc = must(await loadLibc());
});

const V4 = must(parseIp("242.0.1.7"));
const V6 = must(parseIp("fd00::7"));

/** The struct msghdr of a slot. */
function header(row: Datagrams, slot: number) {
  const at = slot * 64;
  return {
    name: row.view.getBigUint64(at, true),
    nameLength: row.view.getUint32(at + 8, true),
    iovec: row.view.getBigUint64(at + 16, true),
    iovecs: row.view.getBigUint64(at + 24, true),
    control: row.view.getBigUint64(at + 32, true),
    controlLength: row.view.getUint32(at + 40, true),
  };
}

/** Native memory at an address, as octets. */
function octets(row: Datagrams, address: bigint, length: number): string {
  const at = Number(address - row.address);
  return Buffer.from(row.view.buffer, at, length).toString("hex");
}

describe("Datagrams", () => {
  test("lays out one iovec per message, and no two messages share memory", () => {
    const row = new Datagrams(libc, V4, 3);
    const areas = [0, 1, 2].flatMap((slot) => {
      const { name, iovec, iovecs, control } = header(row, slot);
      expect(iovecs).toBe(1n);
      const data = row.view.getBigUint64(Number(iovec - row.address), true);
      return [
        [name, 32n],
        [iovec, 16n],
        [control, 96n],
        [data, 128n],
      ] as const;
    });
    const sorted = areas.toSorted(([a], [b]) => Number(a - b));
    for (const [i, [start, size]] of sorted.entries()) {
      expect(start % 8n).toBe(0n);
      expect(start + size).toBeLessThanOrEqual(sorted[i + 1]?.[0] ?? row.address + BigInt(row.view.byteLength));
    }
    expect(row.headerAddress(2) - row.address).toBe(128n);
  });

  test("addressTo() names the interface and our source by IP_PKTINFO", () => {
    const row = new Datagrams(libc, V4, 2);
    row.addressTo(1, sockaddrOf(must(parseIp("242.0.2.1")), 7946), 5, 72);
    const { name, nameLength, control, controlLength, iovec } = header(row, 1);
    expect(octets(row, name, nameLength)).toBe("02001f0af20002010000000000000000");
    expect(row.view.getUint32(Number(iovec - row.address) + 8, true)).toBe(72);
    expect(controlLength).toBe(32);
    // cmsghdr: length 28, IPPROTO_IP, IP_PKTINFO; in_pktinfo: index, source, unused.
    expect(octets(row, control, 28)).toBe("1c000000000000000000000008000000" + "05000000" + "f2000107" + "00000000");
  });

  test("addressTo() does the same for IPv6 by IPV6_PKTINFO", () => {
    const row = new Datagrams(libc, V6, 1);
    row.addressTo(0, sockaddrOf(must(parseIp("fd00::9")), 7946), 6, 72);
    const { nameLength, control, controlLength } = header(row, 0);
    expect([nameLength, controlLength]).toEqual([28, 40]);
    const ours = "fd000000000000000000000000000007";
    expect(octets(row, control, 36)).toBe(`24000000000000002900000032000000${ours}06000000`);
  });

  test("addressTo() without an interface sends no control message", () => {
    const row = new Datagrams(libc, V4, 1);
    row.addressTo(0, sockaddrOf(V4, 1), 5, 72);
    row.addressTo(0, sockaddrOf(V4, 1), 0, 72);
    expect(header(row, 0).controlLength).toBe(0);
  });

  test("expect() gives the kernel the whole room for name and control messages", () => {
    const row = new Datagrams(libc, V4, 1);
    row.expect(0);
    expect(header(row, 0)).toMatchObject({ nameLength: 32, controlLength: 96 });
  });
});

describe("control messages", () => {
  /** Writes control messages into a slot as recvmmsg would. */
  function received(list: readonly { level: number; type: number; data: string }[]): Datagrams {
    const row = new Datagrams(libc, V4, 1);
    let at = Number(header(row, 0).control - row.address);
    const first = at;
    for (const { level, type, data } of list) {
      const bytes = Buffer.from(data, "hex");
      row.view.setBigUint64(at, BigInt(16 + bytes.length), true);
      row.view.setInt32(at + 8, level, true);
      row.view.setInt32(at + 12, type, true);
      Buffer.from(row.view.buffer, at + 16, bytes.length).set(bytes);
      at += 16 + Math.ceil(bytes.length / 8) * 8;
    }
    row.view.setUint32(40, at - first, true);
    return row;
  }

  const stamp = { level: 1, type: 35, data: `${"05".padEnd(16, "0")}${"07".padEnd(16, "0")}` };
  const info = { level: 0, type: 8, data: "090000000000000000000000" };

  test.each([
    ["stamp first", [stamp, info]],
    ["interface first", [info, stamp]],
    ["something else between", [info, { level: 0, type: 1, data: "aabbcc" }, stamp]],
  ])("linkOf() and stampOf() find their own: %s", (_, list) => {
    const row = received(list);
    expect(row.linkOf(0)).toBe(9);
    const at = row.stampOf(0) ?? 0;
    expect([row.view.getUint32(at, true), row.view.getUint32(at + 8, true)]).toEqual([5, 7]);
  });

  test("linkOf() is 0 and stampOf() undefined where the kernel gave none", () => {
    const row = received([{ level: 41, type: 50, data: "00" }]);
    expect(row.linkOf(0)).toBe(0);
    expect(row.stampOf(0)).toBeUndefined();
  });

  test("a control message of length zero does not hold up the search", () => {
    const row = received([info]);
    row.view.setBigUint64(Number(header(row, 0).control - row.address), 0n, true);
    row.view.setInt32(Number(header(row, 0).control - row.address) + 12, 99, true);
    expect(row.linkOf(0)).toBe(0);
  });
});
