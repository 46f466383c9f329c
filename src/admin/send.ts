import type { ServerResponse } from "node:http";

/** Nothing that is answered may be cached, guessed to be something else, or framed by a page. */
const ALWAYS = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
} as const;

/** sendText answers with a whole body. A response that has begun, or whose reader has gone, is left alone. */
export function sendText(
  response: ServerResponse,
  status: number,
  type: string,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const length = String(Buffer.byteLength(text));
  response.writeHead(status, { ...ALWAYS, "content-type": type, "content-length": length, ...headers });
  response.end(text);
}

/** beginStream answers with a body that comes in parts. */
export function beginStream(
  response: ServerResponse,
  type: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(200, { ...ALWAYS, "content-type": type, ...headers });
  response.flushHeaders();
}
