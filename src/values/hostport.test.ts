import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatHostPort, parseHostPort } from "./hostport.ts";
import { ipFrom } from "./ip.ts";

describe("parseHostPort()", () => {
  test.each([
    ["10.0.0.1:53", { host: "10.0.0.1", port: 53 }],
    ["0.0.0.0:0", { host: "0.0.0.0", port: 0 }],
    ["[fd00::1]:65535", { host: "fd00::1", port: 65_535 }],
    ["[FD00:0::1]:53", { host: "fd00::1", port: 53 }],
  ])("takes %s", (text, value) => {
    expect(parseHostPort(text)).toEqual({ ok: true, value });
  });

  test.each(["10.0.0.1", "fd00::1", "[fd00::1]"])("takes %s where a port is known", (text) => {
    expect(parseHostPort(text, 53)).toMatchObject({ ok: true, value: { port: 53 } });
  });

  test.each([
    ["10.0.0.1", "needs a port, as 10.0.0.1:53"],
    ["fd00::1", "needs a port, as [fd00::1]:53"],
    ["[fd00::1]", "needs a port, as [fd00::1]:53"],
    ["10.0.0.1:65536", "port must be 0 to 65535: 65536"],
  ])("refuses %s and says what is missing", (text, error) => {
    expect(parseHostPort(text)).toEqual({ ok: false, error });
  });

  test.each([
    "",
    ":53",
    "localhost:53",
    "10.0.0.1:",
    "10.0.0.1:x",
    "10.0.0.1:-1",
    "10.0.0.1:123456",
    "10.0.0.1:53:53",
    "[10.0.0.1]:53",
    "[fd00::1",
    "fd00::1]:53",
    "[]:53",
    "[::1]53",
    " 10.0.0.1:53",
    "10.0.0.1:53\n",
  ])("refuses %j", (text) => {
    const rule = `must be IP:PORT, as 10.0.0.1:53 or [fd00::1]:53: ${JSON.stringify(text)}`;
    expect(parseHostPort(text)).toEqual({ ok: false, error: rule });
  });

  test("reads back what formatHostPort() writes, in both families", () => {
    const host = fc.oneof(
      fc.nat(0xffff_ffff).map((value) => ipFrom(4, BigInt(value))),
      fc.bigInt(0n, (1n << 128n) - 1n).map((value) => ipFrom(6, value)),
    );
    fc.assert(
      fc.property(host, fc.nat(65_535), (at, port) => {
        expect(parseHostPort(formatHostPort({ host: at, port }))).toEqual({ ok: true, value: { host: at, port } });
      }),
    );
  });
});
