import type { Refused } from "#sync";
import type { ClusterId } from "#values";
import { type Envelope, formatKey, type Member } from "#wire";
import type { Book } from "./book.ts";
import type { Hub } from "./hub.ts";

/** evictionOf is the record by which a member was put out; null where it was not. Its gateways are told by it: whoever
 *  believes an eviction needs its signature. */
export function evictionOf({ entries }: Book, { cluster, gone, body }: Member): Envelope | null {
  if (gone !== "evicted") return null;
  const { generation } = body;
  const key = formatKey({ kind: "eviction", cluster, generation });
  return (entries.get(key) ?? entries.get(formatKey({ kind: "eviction", cluster })))?.envelope ?? null;
}

/** dismissGone ends the sessions of a cluster that is no member any more; of one that is, nothing happens. */
export function dismissGone(hub: Hub, book: Book, cluster: ClusterId): void {
  const member = book.catalogue.members.get(cluster);
  if (member === undefined || member.gone === null) return;
  const refused: Refused =
    member.gone === "left"
      ? { code: "left", message: `${cluster} left the clusterset`, retry: false }
      : {
          code: "evicted",
          message: `${cluster} was evicted: join with a new token`,
          retry: false,
          record: evictionOf(book, member),
        };
  for (const reader of hub.readers()) if (reader.cluster === cluster) reader.link.refuse(refused);
}
