import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Ip } from "#values";
import {
  bitString,
  booleanTrue,
  dnsName,
  explicit,
  integer,
  ipName,
  octetString,
  oid,
  sequence,
  setOf,
  time,
  utf8,
} from "./der.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("DER", () => {
  test.each([
    ["integer 0", integer(Buffer.from([0])), "020100"],
    ["integer 127", integer(Buffer.from([127])), "02017f"],
    ["integer 128, kept positive", integer(Buffer.from([128])), "02020080"],
    ["integer 256", integer(Buffer.from([1, 0])), "02020100"],
    ["integer with needless zeros", integer(Buffer.from([0, 0, 1])), "020101"],
    ["boolean TRUE", booleanTrue(), "0101ff"],
    ["ecdsa-with-SHA256", oid("1.2.840.10045.4.3.2"), "06082a8648ce3d040302"],
    ["commonName", oid("2.5.4.3"), "0603550403"],
    ["text", utf8("a"), "0c0161"],
    ["octet string", octetString(Buffer.from([1, 2])), "04020102"],
    ["bit string", bitString(Buffer.from([4]), 2), "03020204"],
    ["empty sequence", sequence(), "3000"],
    ["set", setOf(booleanTrue()), "31030101ff"],
    ["[3] explicit", explicit(3, sequence()), "a3023000"],
    ["DNS name", dnsName("a.b"), "8203612e62"],
    ["IPv4 name", ipName("10.0.0.1" as Ip), "87040a000001"],
    ["IPv6 name", ipName("fd00::1" as Ip), "8710fd000000000000000000000000000001"],
  ])("writes %s", (_, got, expected) => {
    expect(hex(got)).toBe(expected);
  });

  test("writes UTCTime until 2049 and GeneralizedTime from 2050 on", () => {
    const last = time(Date.UTC(2049, 11, 31, 23, 59, 59, 999));
    expect(last.toString("latin1")).toBe("\x17\x0d491231235959Z");
    expect(time(Date.UTC(2050, 0, 1)).toString("latin1")).toBe("\x18\x0f20500101000000Z");
  });

  test("writes lengths in the shortest form", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 70_000 }), (length) => {
        const got = octetString(Buffer.alloc(length));
        const form = length < 128 ? 0 : length < 256 ? 1 : length < 65_536 ? 2 : 3;
        expect(got.length).toBe(2 + form + length);
        expect(got[1]).toBe(form === 0 ? length : 0x80 | form);
        if (form > 0) expect(got.readUIntBE(2, form)).toBe(length);
      }),
    );
  });
});
