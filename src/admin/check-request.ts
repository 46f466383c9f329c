import type { z } from "zod";
import type { Operation } from "./operation.ts";
import { type FieldError, Refused } from "./problem.ts";

/** find gives the operation of a method and a path, with the path's parameters. Throws Refused: 404, or 405 with Allow. */
export function find(
  operations: readonly Operation[],
  method: string,
  path: string,
): { readonly operation: Operation; readonly params: Readonly<Record<string, string>> } {
  const here = operations.flatMap((operation) => {
    const params = match(operation.path, path);
    return params === null ? [] : [{ operation, params }];
  });
  if (here.length === 0) throw new Refused("not-found", "there is no such path: see /v1/openapi.json");
  const found = here.find(({ operation }) => operation.method === (method === "HEAD" ? "GET" : method));
  if (found !== undefined) return found;
  const allow = here.map(({ operation }) => (operation.method === "GET" ? "GET, HEAD" : operation.method)).join(", ");
  throw new Refused("method-not-allowed", `this path takes ${allow}`, { allow });
}

/** match compares a path with a template, part by part; null where they differ. */
function match(template: string, path: string): Readonly<Record<string, string>> | null {
  const wanted = template.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return null;
  const params: [string, string][] = [];
  for (const [at, part] of wanted.entries()) {
    const here = given[at] ?? "";
    if (!part.startsWith("{")) {
      if (part !== here) return null;
    } else if (here === "") return null;
    else params.push([part.slice(1, -1), decoded(here)]);
  }
  return Object.fromEntries(params);
}

/** A part is decoded after the path was split: an encoded slash is a character of a name, not a level of the path. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new Refused("bad-request", "the path has a broken percent-encoding");
  }
}

/** checkQuery throws Refused (400) with everything that is wrong with the parameters. */
export function checkQuery(schema: z.ZodType, value: unknown): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const wrong = result.error.issues.map(({ path, message }) => [...path.map(String), message].join(": "));
  throw new Refused("bad-request", `parameters: ${wrong.join("; ")}`);
}

/** Faults that one answer lists. */
const MAX_ERRORS = 20;

/** checkBody throws Refused (422) with what is wrong with each field: the first reason, the others follow from it. */
export function checkBody(schema: z.ZodType, value: unknown): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const first = new Map<string, FieldError>();
  for (const { path, message } of result.error.issues) {
    const pointer = path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
    if (!first.has(pointer)) first.set(pointer, { pointer, detail: message.slice(0, 300) });
  }
  const errors = [...first.values()].slice(0, MAX_ERRORS);
  const list = errors.map(({ pointer, detail }) => `${pointer || "the body"}: ${detail}`).join("; ");
  throw new Refused("invalid", list, {}, errors);
}
