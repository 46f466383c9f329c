import { expect, test } from "vitest";
import { expect as must, parseIp } from "#values";
import { sockaddrOf } from "./sockaddr.ts";

test.each([
  ["242.0.1.7", 7946, "02001f0af200010700000000" + "00000000"],
  ["fd00::7", 53, "0a000035" + "00000000" + "fd000000000000000000000000000007" + "00000000"],
])("sockaddrOf(%s, %i) is laid out as the kernel wants it", (address, port, hex) => {
  expect(Buffer.from(sockaddrOf(must(parseIp(address)), port)).toString("hex")).toBe(hex);
});
