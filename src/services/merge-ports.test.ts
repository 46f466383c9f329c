import { describe, expect, test } from "vitest";
import type { ExportPort } from "./exported-service.ts";
import { mergePorts, samePorts } from "./merge-ports.ts";

const port = (text: string): ExportPort => {
  const [name = "", protocol, number] = text.split(/[:/]/);
  return { name, protocol: protocol as ExportPort["protocol"], port: Number(number) };
};
const ports = (...texts: string[]) => texts.map(port);

describe("mergePorts()", () => {
  test.each([
    ["unites ports that do not clash", [["http:TCP/80"], ["https:TCP/443"]], ["http:TCP/80", "https:TCP/443"]],
    ["keeps the oldest number of a name", [["http:TCP/80"], ["http:TCP/8080"]], ["http:TCP/80"]],
    ["keeps the oldest name of a number", [["http:TCP/80"], ["web:TCP/80"]], ["http:TCP/80"]],
    ["counts the empty name as a name", [[":TCP/80"], [":TCP/81"]], [":TCP/80"]],
    ["keeps one number under two protocols", [["dns:UDP/53"], ["dns-tcp:TCP/53"]], ["dns:UDP/53", "dns-tcp:TCP/53"]],
    [
      "takes a clashing name from the next export that has it free",
      [["a:TCP/1"], ["b:TCP/1"], ["b:TCP/2"]],
      ["a:TCP/1", "b:TCP/2"],
    ],
    ["gives nothing for nothing", [[], []], []],
  ])("%s", (_, exports, expected) => {
    expect(mergePorts(exports.map((texts) => ports(...texts)))).toEqual(ports(...expected));
  });
});

describe("samePorts()", () => {
  test("ignores the order", () => {
    expect(samePorts(ports("a:TCP/1", "b:TCP/2"), ports("b:TCP/2", "a:TCP/1"))).toBe(true);
  });

  test("takes a missing appProtocol and null for the same", () => {
    expect(samePorts(ports("a:TCP/1"), [{ ...port("a:TCP/1"), appProtocol: null }])).toBe(true);
  });

  test.each(["b:TCP/1", "a:UDP/1", "a:TCP/2"])("tells a:TCP/1 from %s", (other) => {
    expect(samePorts(ports("a:TCP/1"), ports(other))).toBe(false);
  });
});
