import { slices } from "#life";
import { Refused } from "./problem.ts";

/** Place is where an item stands in its list: compared part by part, as numbers or by code unit. It stays the same
 *  while the item does, so a page goes on where the last one ended whatever came or went in between. */
export type Place = readonly (number | string)[];

/** PageAsk is which page is wanted. */
export interface PageAsk {
  readonly limit: number;
  /** What the page before this one gave. */
  readonly continue?: string | undefined;
}

/** Page is a part of a list; `continue` is null at the end. */
export interface Page<V> {
  readonly items: V[];
  readonly continue: string | null;
}

/** Listing says of a kind of list how its items are ordered and shown. `name` keeps a `continue` of one list from
 *  being taken for one of another. */
export interface Listing<T, V> {
  readonly name: string;
  readonly place: (item: T) => Place;
  readonly view: (item: T) => V;
  /** Which items belong to the list; all without it. */
  readonly wanted?: (item: T) => boolean;
  /** About how many bytes an item is in the answer; 0 where it is small. */
  readonly weight?: (item: T) => number;
}

/** A page ends at so many bytes even if more items were asked for: writing it must not hold up the event loop. */
const PAGE_BYTES = 256 << 10;

/** pageOf takes the next page of items that come in the order of their places. */
export async function pageOf<T, V>(
  items: Iterable<T>,
  { name, place, view, wanted = () => true, weight = () => 0 }: Listing<T, V>,
  ask: PageAsk,
  signal: AbortSignal,
): Promise<Page<V>> {
  const after = ask.continue === undefined ? null : readContinue(name, ask.continue);
  const found: V[] = [];
  let last: Place | null = null;
  let more = false;
  let bytes = 0;
  const step = (item: T): void => {
    const here = place(item);
    if ((after !== null && comparePlaces(here, after) <= 0) || !wanted(item)) return;
    more = found.length >= ask.limit || bytes >= PAGE_BYTES;
    if (more) return;
    found.push(view(item));
    bytes += weight(item);
    last = here;
  };
  await slices(
    whileNot(items, () => more),
    step,
    { signal },
  );
  return { items: found, continue: more && last !== null ? textOf(name, last) : null };
}

/** comparePlaces is below zero, zero or above as two items of one list stand. */
export function comparePlaces(a: Place, b: Place): number {
  for (const [at, left] of a.entries()) {
    const right = b[at];
    if (right === undefined || left > right) return 1;
    if (left < right) return -1;
  }
  return a.length - b.length;
}

/** whileNot ends an iteration early: slices() reads all that it is given. */
function* whileNot<T>(items: Iterable<T>, ended: () => boolean): Generator<T> {
  for (const item of items) {
    if (ended()) return;
    yield item;
  }
}

function textOf(name: string, place: Place): string {
  return Buffer.from(JSON.stringify([name, ...place])).toString("base64url");
}

/** readContinue reads what textOf wrote; askers must not look into it, but they may well send anything. */
export function readContinue(name: string, text: string): Place {
  const wrong = new Refused("bad-request", "continue must be what the page before this one gave");
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    throw wrong;
  }
  if (!Array.isArray(value) || value.length < 2 || value.shift() !== name) throw wrong;
  if (!value.every((part) => typeof part === "number" || typeof part === "string")) throw wrong;
  return value as Place;
}
