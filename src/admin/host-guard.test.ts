import type { IncomingMessage } from "node:http";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { certificateHosts, HostGuard } from "./host-guard.ts";
import { Refused } from "./problem.ts";
import { TLS } from "./testbed.ts";

const guard = new HostGuard(["192.0.2.1", "Broker.Example", "fd00::1"], "https");

function outcome(headers: Record<string, string>, localAddress = "198.51.100.7"): string {
  const rawHeaders = Object.entries(headers).flat();
  try {
    guard.check({ headers, rawHeaders, socket: { localAddress } } as unknown as IncomingMessage);
    return "ok";
  } catch (error) {
    if (error instanceof Refused) return error.problem.code;
    throw error;
  }
}

describe("HostGuard", () => {
  test.each([
    "localhost",
    "LOCALHOST:7480",
    "127.0.0.1:1",
    "[::1]",
    "[::1]:7480",
    "192.0.2.1:7480",
    "broker.example",
    "BROKER.example:443",
    "[fd00::1]:1",
    "[FD00:0:0::1]",
    "198.51.100.7",
  ])("answers to %s", (host) => expect(outcome({ host })).toBe("ok"));

  test.each([
    "",
    "evil.example",
    "localhost.evil.example",
    "evil.localhost",
    "127.0.0.1.evil.example",
    "192.0.2.2",
    "localhost@evil.example",
    "evil.example#localhost",
    "evil.example/localhost",
    "localhost:x",
    "localhost:99999",
    "[::2]",
    "broker.example.",
    " ",
    "::1",
  ])("does not answer to %j", (host) => expect(outcome({ host })).toBe("foreign-host"));

  test("answers to the address that a connection came to, also as IPv4 in IPv6", () => {
    expect(outcome({ host: "203.0.113.9:7480" }, "::ffff:203.0.113.9")).toBe("ok");
    expect(outcome({ host: "203.0.113.9:7480" }, "203.0.113.10")).toBe("foreign-host");
  });

  test.each([
    ["https://broker.example:7480", "ok"],
    ["https://BROKER.example:7480", "ok"],
    ["http://broker.example:7480", "foreign-origin"],
    ["https://broker.example", "foreign-origin"],
    ["https://localhost:7480", "foreign-origin"],
    ["https://evil.example", "foreign-origin"],
    ["null", "foreign-origin"],
    ["", "foreign-origin"],
  ])("takes the origin %j as %s", (origin, code) =>
    expect(outcome({ host: "broker.example:7480", origin })).toBe(code),
  );

  test("hears what the browser says of the page that asks", () => {
    const site = (value: string): string => outcome({ host: "localhost", "sec-fetch-site": value });
    expect(["none", "same-origin", "same-site", "cross-site"].map(site)).toEqual([
      "ok",
      "ok",
      "foreign-origin",
      "foreign-origin",
    ]);
  });

  test("decides on any text as a host", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (host) => {
        expect(["ok", "foreign-host"]).toContain(outcome({ host }));
      }),
    );
  });
});

test("certificateHosts() lists what a certificate is for", () => {
  expect(certificateHosts(TLS.cert)).toEqual(expect.arrayContaining(["127.0.0.1", "broker.test", "::1"]));
});
