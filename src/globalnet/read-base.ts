import { SET_NAMES, type SetContents } from "./base-sets.ts";
import type { BaseState } from "./state.ts";

/** A set or chain of a listing, which nft indents by tabs: kind, name and body. */
const BLOCK = /^\t(set|chain) (\S+) \{\n([\s\S]*?)^\t\}/gm;

/** readBase reads `nft -n list table ip meridian`: its digest, its number of rules and what its sets hold. */
export function readBase(listing: string): BaseState {
  const sets = new Map<string, readonly string[]>();
  let rules = 0;
  for (const [, kind, name = "", body = ""] of listing.matchAll(BLOCK)) {
    if (kind === "set") sets.set(name, elementsIn(body));
    else rules += body.split("\n").filter((line) => line.trim() !== "" && !/^\s*type /.test(line)).length;
  }
  const contents = Object.fromEntries(SET_NAMES.map((name) => [name, sets.get(name) ?? []])) as unknown as SetContents;
  return { digest: /^\tcomment "(\w*)"/m.exec(listing)?.[1] ?? "", rules, sets: contents };
}

/** elementsIn is the elements of a set, sorted as setContents sorts them; nft may break their list anywhere. */
function elementsIn(body: string): readonly string[] {
  const list = /elements = \{([\s\S]*?)\}/.exec(body)?.[1] ?? "";
  const elements = list.split(",").map((element) => element.trim());
  return elements.filter((element) => element !== "").sort();
}
