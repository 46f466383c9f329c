import { inspect } from "node:util";
import { expect, test } from "vitest";
import { Secret } from "./secret.ts";

const secret = new Secret("hunter2");

test.each<[string, () => string]>([
  ["a template", () => `${secret}`],
  ["a joined list", () => ["", secret].join("")],
  ["JSON", () => JSON.stringify({ secret, list: [secret] })],
  ["inspect", () => inspect({ deep: { secret } }, { depth: 5, showHidden: true })],
  ["an error", () => String(new Error(`bad token ${secret}`))],
  ["its fields", () => JSON.stringify(Object.entries(secret)) + JSON.stringify(Reflect.ownKeys(secret).map(String))],
  ["a structured clone", () => inspect(structuredClone(secret))],
  ["a spread", () => inspect({ ...secret })],
])("%s does not show it", (_how, show) => {
  expect(show()).not.toContain("hunter2");
});

test("reveal() does", () => {
  expect(secret.reveal()).toBe("hunter2");
});
