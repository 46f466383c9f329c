import type { Refused } from "#sync";
import type { ClusterId } from "#values";
import { type Envelope, formatKey, type Member } from "#wire";
import type { Book } from "./book.ts";
import type { Hub } from "./hub.ts";

/** endOf is the record by which a member left or was put out; null where it did not, or it cannot be shown. Its own
 *  gateways are told by it: whoever is to believe an end needs its signature. */
export function endOf({ entries }: Book, { cluster, gone, body }: Member): Envelope | null {
  if (gone === null) return null;
  const { generation } = body;
  const kind = gone === "left" ? "leave" : "eviction";
  const keys = [formatKey({ kind, cluster, generation }), formatKey({ kind, cluster })]; // the second of older versions
  return keys.map((key) => entries.get(key)?.envelope).find((envelope) => envelope !== undefined) ?? null;
}

/** dismissGone ends the sessions of a cluster that is no member any more; of one that is, nothing happens. */
export function dismissGone(hub: Hub, book: Book, cluster: ClusterId): void {
  const member = book.catalogue.members.get(cluster);
  if (member === undefined || member.gone === null) return;
  const why = member.gone === "left" ? "left the clusterset" : "was evicted: join with a new token";
  const message = `${cluster} ${why}`;
  const refused: Refused = { code: member.gone, message, retry: false, record: endOf(book, member) };
  for (const reader of hub.readers()) if (reader.cluster === cluster) reader.link.refuse(refused);
}
