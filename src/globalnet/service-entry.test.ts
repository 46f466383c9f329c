import { describe, expect, test } from "vitest";
import { PROTOCOL_NUMBER, protocolOf, sameEntry, serviceKey } from "./service-entry.ts";
import { exampleEntry } from "./testbed-plan.ts";

const KEY = "242.192.0.1 TCP 80";

test("serviceKey() names address, protocol and port", () => {
  expect(serviceKey(exampleEntry(KEY, []))).toBe(KEY);
});

test("protocolOf() reads numbers and names, and nothing else", () => {
  for (const [name, number] of Object.entries(PROTOCOL_NUMBER)) {
    expect(protocolOf(String(number))).toBe(name);
    expect(protocolOf(name.toLowerCase())).toBe(name);
  }
  expect(protocolOf("1")).toBeUndefined();
});

describe("sameEntry()", () => {
  const one = exampleEntry(KEY, ["242.2.0.1:80", "242.3.0.1:80"]);

  test("is true of equal entries in different objects", () => {
    expect(sameEntry(one, structuredClone(one))).toBe(true);
  });

  test.each([
    ["affinity", exampleEntry(KEY, ["242.2.0.1:80", "242.3.0.1:80"], "client")],
    ["a backend fewer", exampleEntry(KEY, ["242.2.0.1:80"])],
    ["an address", exampleEntry(KEY, ["242.2.0.1:80", "242.3.0.2:80"])],
    ["a port", exampleEntry(KEY, ["242.2.0.1:80", "242.3.0.1:81"])],
    ["a weight", exampleEntry(KEY, ["242.2.0.1:80", "242.3.0.1:80*2"])],
  ])("is false where they differ in %s", (_, other) => {
    expect(sameEntry(one, other)).toBe(false);
  });
});
