import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Definitions, objectKey } from "./definitions.ts";
import type { Definition } from "./manifest-object.ts";

const define = (file: string, createdAt: number | null = null, line = 1): Definition => ({
  kind: "ServiceExport",
  namespace: "shop",
  name: "web",
  line,
  file,
  body: { createdAt, exportedLabels: {}, exportedAnnotations: {} },
});
const KEY = objectKey(define("a"));

describe("Definitions", () => {
  test("lets the first file by name win, in whatever order they come", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(["a", "b", "c"], { minLength: 1 }), (files) => {
        const definitions = new Definitions(() => {});
        for (const file of files) definitions.put(define(file, file.charCodeAt(0)));
        expect(definitions.get(KEY)?.file).toBe([...files].sort()[0]);
        expect([...definitions.losers()].map(({ loser }) => loser.file)).toEqual([...files].sort().slice(1));
      }),
    );
  });

  test("lets the next one win when the first is removed", () => {
    const definitions = new Definitions(() => {});
    definitions.put(define("a", 1));
    definitions.put(define("b", 2));
    definitions.remove(define("a"));
    expect(definitions.get(KEY)?.body).toMatchObject({ createdAt: 2 });
    definitions.remove(define("b"));
    expect(definitions.get(KEY)).toBeUndefined();
    expect([...definitions.losers()]).toEqual([]);
  });

  test("says nothing when a file says the same again", () => {
    const heard: unknown[] = [];
    const definitions = new Definitions((before, after) => heard.push([before?.line, after?.line]));
    definitions.put(define("a", 1));
    definitions.put(define("a", 1));
    expect(heard).toEqual([[undefined, 1]]);
  });

  test("keeps the body itself when only the place changed, within a file or to another", () => {
    const heard: boolean[] = [];
    const definitions = new Definitions((before, after) => heard.push(before?.body === after?.body));
    definitions.put(define("b", 1));
    definitions.put(define("b", 1, 7));
    definitions.put(define("a", 1));
    definitions.put(define("a", 2));
    expect(heard).toEqual([false, true, true, false]);
  });
});
