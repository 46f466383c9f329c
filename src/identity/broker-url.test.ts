import { describe, expect, test } from "vitest";
import { parseBrokerUrl } from "./broker-url.ts";

describe("parseBrokerUrl()", () => {
  test.each([
    ["wss://broker.example.org:8443", "wss://broker.example.org:8443"],
    ["wss://10.0.0.1:8443/", "wss://10.0.0.1:8443"],
    ["wss://[fd00::1]:8443", "wss://[fd00::1]:8443"],
    ["wss://Broker.example.org:443/v1", "wss://broker.example.org/v1"],
  ])("writes %s as %s", (text, url) => {
    expect(parseBrokerUrl(text)).toEqual({ ok: true, value: url });
  });

  test.each(["ws://broker:1", "https://broker", "broker:8443", "", "wss://", "wss://a b", "javascript:alert(1)"])(
    "refuses %j: there is no form without TLS",
    (text) => {
      expect(parseBrokerUrl(text)).toMatchObject({ ok: false, error: expect.stringContaining("wss://HOST:PORT") });
    },
  );

  test.each(["wss://me:pw@broker", "wss://broker/?a=b", "wss://broker/#x"])("refuses %s", (text) => {
    expect(parseBrokerUrl(text)).toMatchObject({ ok: false, error: expect.stringContaining("no user, query") });
  });

  test("refuses what is longer than 512 bytes", () => {
    expect(parseBrokerUrl(`wss://broker/${"a".repeat(600)}`).ok).toBe(false);
  });
});
