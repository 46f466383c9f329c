import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { createTeller } from "./teller.ts";

function told(tell: (teller: ReturnType<typeof createTeller>) => void): string {
  const stream = new PassThrough({ encoding: "utf8" });
  tell(createTeller(stream));
  stream.end();
  let text = "";
  for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) text += String(chunk);
  return text;
}

test("createTeller() numbers chapters and knows the current one", () => {
  let current = "";
  const text = told((teller) => {
    teller.chapter("One");
    teller.chapter("Two");
    current = teller.current;
  });
  expect(text).toBe("\n1. One\n\n2. Two\n");
  expect(current).toBe("2. Two");
});

test("createTeller() is plain where there is no terminal, and keeps the lines of a page below each other", () => {
  const text = told((teller) => {
    teller.show("the page", "pod: web-0\nclient: 242.2.1.10\n");
    teller.proved("amber answered");
  });
  expect(text).toBe(
    "   the page            pod: web-0\n                       client: 242.2.1.10\n   ok amber answered\n",
  );
});
