import type { Brand } from "./brand.ts";

/** Millis is wall-clock time in milliseconds since 1970, or a span in milliseconds where the name says so. */
export type Millis = Brand<number, "Millis">;
/** Revision counts the broker's accepted writes, from 1. */
export type Revision = Brand<number, "Revision">;

export function millis(value: number): Millis {
  return value as Millis;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** parseDuration reads `500ms`, `15m`, `24h` and plain `0`; undefined where the text is none of these. */
export function parseDuration(text: string): Millis | undefined {
  if (text === "0") return millis(0);
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text);
  const unit = UNITS[match?.[2] ?? ""];
  return match === null || unit === undefined ? undefined : millis(Math.round(Number(match[1]) * unit));
}
