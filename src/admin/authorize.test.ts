import type { IncomingMessage } from "node:http";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Secret } from "#life";
import { authorizeByToken } from "./authorize.ts";
import { Refused } from "./problem.ts";

const TOKEN = "abcdefghijklmnopqrstuvwxyz0123456789-_ABCDE";
const authorize = authorizeByToken(new Secret(TOKEN));

function outcome(authorization: string | undefined, by = authorize): string {
  try {
    return by({ headers: { authorization } } as unknown as IncomingMessage, "admin").actor;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    expect(error.message).not.toContain(TOKEN);
    expect(error.headers).toEqual({ "www-authenticate": 'Bearer realm="meridian"' });
    return error.problem.code;
  }
}

describe("authorizeByToken()", () => {
  test.each([`Bearer ${TOKEN}`, `bearer ${TOKEN}`, `Bearer  ${TOKEN} `])("takes %j", (text) => {
    expect(outcome(text)).toBe("admin");
  });

  test.each([
    undefined,
    "",
    TOKEN,
    `Basic ${TOKEN}`,
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(1)}`,
    `Bearer ${TOKEN} x`,
    "Bearer",
    `Token ${TOKEN}`,
  ])("refuses %j", (text) => expect(outcome(text)).toBe("unauthorized"));

  test("refuses every other text", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(outcome(`Bearer ${text}`)).toBe("unauthorized");
      }),
    );
  });

  test("[CVE-2024-41260] [CVE-2025-10678] an empty token opens nothing", () => {
    const open = authorizeByToken(new Secret(""));
    for (const text of ["Bearer ", "Bearer", "Bearer  ", ""]) expect(outcome(text, open)).toBe("unauthorized");
  });
});
