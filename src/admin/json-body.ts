import type { IncomingMessage } from "node:http";
import { Refused } from "./problem.ts";

/** Largest body that is read, in bytes. */
export const MAX_BODY = 64 << 10;
/** Deepest nesting of arrays and objects. */
export const MAX_DEPTH = 16;

/** readJson reads a request's body, or gives undefined when it has none. Throws Refused: 413 as soon as it is known to
 *  be too large, 415 for any type but application/json, 400 for what is not JSON, too deep, or would touch a prototype. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  if (!hasBody(request)) return undefined;
  if (!isJson(request.headers["content-type"] ?? "")) {
    throw new Refused("unsupported-media-type", "send application/json");
  }
  if (request.headers["content-encoding"] !== undefined) {
    throw new Refused("unsupported-media-type", "send the body without a content encoding");
  }
  return parseJson(await readText(request));
}

/** refuseBody is for methods that take none: a body there is at best a mistake. */
export function refuseBody(request: IncomingMessage): void {
  if (hasBody(request)) throw new Refused("bad-request", "this request takes no body");
}

/** parseJson parses text that is within MAX_DEPTH and has no `__proto__` key. */
export function parseJson(text: string): unknown {
  if (depthOf(text) > MAX_DEPTH) throw new Refused("bad-request", `the body is nested deeper than ${MAX_DEPTH}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refused("bad-request", "the body is not JSON");
  }
  if (namesPrototype(value)) throw new Refused("bad-request", "the body has a key __proto__");
  return value;
}

/** namesPrototype looks at every object: a copy made key by key would get another prototype. */
function namesPrototype(value: unknown): boolean {
  const waiting: unknown[] = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next !== "object" || next === null) continue;
    if (Object.hasOwn(next, "__proto__")) return true;
    for (const child of Array.isArray(next) ? next : Object.values(next)) {
      if (typeof child === "object") waiting.push(child);
    }
  }
  return false;
}

/** depthOf counts brackets outside strings, in one pass; for what is not JSON at all it may say anything. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === '"') quoted = !quoted;
    else if (quoted)
      at += char === "\\" ? 1 : 0; // whatever comes after a backslash ends nothing
    else if (char === "[" || char === "{") deepest = Math.max(deepest, ++depth);
    else if (char === "]" || char === "}") depth -= 1;
  }
  return deepest;
}

/** RFC 9112, 6.3: a request has a body if one of these two headers says so. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/** Only this type: forms and text/plain are what a page may send elsewhere without being asked first (CORS). */
function isJson(type: string): boolean {
  return /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i.test(type);
}

/** readText stops reading at the limit, whatever length was announced; the rest is not taken from the socket. */
async function readText(request: IncomingMessage): Promise<string> {
  const tooLarge = (): Refused =>
    new Refused("too-large", `a body may have at most ${MAX_BODY} bytes`, { connection: "close" });
  if (Number(request.headers["content-length"] ?? 0) > MAX_BODY) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw tooLarge();
    chunks.push(chunk);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new Refused("bad-request", "the body is not UTF-8");
  }
}
