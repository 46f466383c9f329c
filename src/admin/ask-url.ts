import { Refused } from "./problem.ts";

/** AskUrl is a request target; the path is as it was sent, not decoded. */
export interface AskUrl {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
}

/** readUrl takes a request target apart. Throws Refused where it is not a plain path, or where a parameter comes
 *  twice: two readers could then take two different ones. */
export function readUrl(target: string): AskUrl {
  if (!target.startsWith("/")) throw new Refused("bad-request", "the request target must be a path");
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(mark < 0 ? "" : target.slice(mark))) {
    if (query.has(name)) throw new Refused("bad-request", `the parameter ${JSON.stringify(name)} comes twice`);
    query.set(name, value);
  }
  return { path, query: nullPrototype(query) };
}

/** A parameter named `__proto__` is then a name like any other. */
function nullPrototype(entries: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  const record = Object.create(null) as Record<string, string>;
  for (const [name, value] of entries) record[name] = value;
  return record;
}
