/** readPlainScalar resolves one scalar, or one flow collection of scalars, that stands on a single line, by the core
 *  schema of YAML 1.2. Undefined means "not sure": escapes, tags, anchors, block scalars, unusual numbers and whatever
 *  else is left to a full parser. */
export function readPlainScalar(text: string): unknown {
  switch (text.charCodeAt(0)) {
    case 0x22: // "
      return /^"[^"\\]*"$/.test(text) ? text.slice(1, -1) : undefined;
    case 0x27: // '
      return /^'[^']*'$/.test(text) ? text.slice(1, -1) : undefined;
    case 0x5b: // [
      return readFlow(text, "]", flowSequence);
    case 0x7b: // {
      return readFlow(text, "}", flowMapping);
    default:
      return readPlain(text);
  }
}

const WORDS: Readonly<Record<string, boolean | null>> = {
  ...{ null: null, Null: null, NULL: null },
  ...{ true: true, True: true, TRUE: true },
  ...{ false: false, False: false, FALSE: false },
};

/** isWord reports whether a plain scalar is no string but a boolean or null. */
export function isWord(text: string): boolean {
  return text.length >= 4 && text.length <= 5 && Object.hasOwn(WORDS, text);
}

/** A plain scalar: a word of the core schema, a whole number without tricks, or text. What begins with a sign or a dot,
 *  and what looks like a number but is none of the plain ones (octal, hexadecimal, floating), is not decided here. */
function readPlain(text: string): unknown {
  if (text.includes(": ") || text.endsWith(":") || text.includes(" #")) return undefined;
  if (/^[A-Za-z_/]/.test(text)) return isWord(text) ? WORDS[text] : text;
  if (!/^[0-9]/.test(text)) return undefined;
  if (/^(?:0|[1-9][0-9]{0,14})$/.test(text)) return Number(text);
  // With a character that no number has, or two dots, it is a string: 30s, 10.0.0.1, 2026-01-31T12:00:00Z.
  return /[^-+0-9.eExXoOa-fA-F]|\..*\./.test(text) ? text : undefined;
}

/** Within brackets only quoted text and simple words: commas and colons mean more there. */
const FLOW_PART = /^(?:"[^"\\]*"|'[^']*'|[A-Za-z0-9][-A-Za-z0-9_./ ]*)$/;

function readFlow(text: string, end: string, read: (parts: readonly string[]) => unknown): unknown {
  if (!text.endsWith(end)) return undefined;
  const inner = spaceless(text.slice(1, -1));
  return read(inner === "" ? [] : inner.split(",").map(spaceless));
}

function flowSequence(parts: readonly string[]): unknown {
  const values = parts.map((part) => (FLOW_PART.test(part) ? readPlainScalar(part) : undefined));
  return values.includes(undefined) ? undefined : values;
}

function flowMapping(parts: readonly string[]): unknown {
  const value: Record<string, unknown> = {};
  for (const part of parts) {
    const [, key = "", rest = ""] = /^([A-Za-z][-A-Za-z0-9_./]*): +(.*)$/.exec(part) ?? [];
    const scalar = FLOW_PART.test(rest) ? readPlainScalar(rest) : undefined;
    if (key === "" || isWord(key) || Object.hasOwn(value, key) || scalar === undefined) return undefined;
    value[key] = scalar;
  }
  return value;
}

/** spaceless drops spaces, and only those, at both ends: YAML knows no other blanks than space and tab. */
function spaceless(text: string): string {
  return text.replace(/^ +/, "").replace(/ +$/, "");
}
