import { describe, expect, test } from "vitest";
import { systemClock } from "#life";
import { CookieSecrets } from "./cookie-secrets.ts";
import { packetPolicy } from "./packet-options.ts";
import { createPacketShare, rotateSecrets } from "./packet-share.ts";

describe("packetPolicy()", () => {
  test("by default speaks cookies, tells no name, limits nothing", () => {
    expect(packetPolicy()).toEqual({
      cookies: true,
      secrets: [],
      nsid: new Uint8Array(0),
      udpSize: 1232,
      rateLimit: undefined,
      forwarders: [],
    });
  });

  test.each([
    [{ nsid: "x".repeat(129) }, "nsid is at most 128 octets: current length is 129"],
    [{ udpSize: 511 }, "udpSize must be 512 to 1232: current value is 511"],
    [{ udpSize: 4096 }, "udpSize must be 512 to 1232"],
    [{ cookieSecrets: ["secret"] }, "a cookie secret is 32 hexadecimal digits: this one has 6 characters"],
  ])("refuses %j", (options, says) => {
    expect(() => packetPolicy(options)).toThrow(says);
  });
});

describe("createPacketShare()", () => {
  const secretsOf = (share: ReturnType<typeof createPacketShare>): readonly string[] => {
    const { octets, current, previous } = new CookieSecrets(share.secrets);
    return [current, previous].map((at) => octets.slice(at, at + 16).toHex());
  };

  test("takes the secrets that are given, and makes one otherwise: never zeros, never twice the same", () => {
    const given = ["0123456789abcdef".repeat(2), "fedcba9876543210".repeat(2)];
    expect(secretsOf(createPacketShare(packetPolicy({ cookieSecrets: given })))).toEqual(given);
    const made = [1, 2].map(() => secretsOf(createPacketShare(packetPolicy()))[0] ?? "");
    expect(made[0]).not.toBe(made[1]);
    expect(made).not.toContain("0".repeat(32));
  });

  test("rotateSecrets() makes another secret a day later, and believes the old one for a day", async () => {
    const share = createPacketShare(packetPolicy());
    const before = secretsOf(share);
    const end = new AbortController();
    const naps: number[] = [];
    const clock = {
      ...systemClock,
      sleep: async (ms: number) => {
        naps.push(ms);
        if (naps.length > 1) end.abort();
      },
    };
    await rotateSecrets(share, clock, end.signal);
    expect(naps[0]).toBe(24 * 3600 * 1000);
    const after = secretsOf(share);
    expect(after[1]).toBe(before[0]);
    expect(after[0]).not.toBe(before[0]);
  });
});
