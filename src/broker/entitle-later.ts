import type { Log } from "#life";
import type { Cidr } from "#values";
import type { Book } from "./book.ts";
import { entitle } from "./entitlement.ts";
import type { Hub, Reader } from "./hub.ts";

export interface LateParts {
  readonly book: Book;
  readonly hub: Hub;
  readonly supernets: readonly Cidr[];
  readonly log: Log;
}

/** entitleLater grants a gateway that is connected what it could not be granted at its login: when a restored store is
 *  whole again, or when the member's own grants have been learned. */
export function entitleLater({ book, supernets, log }: LateParts, reader: Reader): void {
  if (reader.entitled || !reader.link.open) return;
  const member = book.catalogue.members.get(reader.cluster);
  if (member === undefined || member.gone !== null) return;
  const { uid, generation } = member.body;
  const login = { ...reader.login, cluster: reader.cluster, gateway: reader.gateway };
  const entitlement = entitle(book, supernets, login, { uid, generation });
  const done = entitlement.ok ? grant(book, entitlement.value) : entitlement;
  if (done.ok) {
    reader.entitled = true;
    return;
  }
  book.ipam.load(book.store.allocations()); // what was proposed on the way
  log.warn("a gateway cannot be granted what it needs", {
    gateway: `${reader.cluster}/${reader.gateway}`,
    ...done.error,
  });
  reader.link.refuse({ code: done.error.code, message: done.error.message, retry: true });
}

function grant(book: Book, { grants, allocations }: Pick<Parameters<Book["write"]>[0], "grants" | "allocations">) {
  if ((grants?.length ?? 0) === 0) return { ok: true as const };
  return book.write({ grants: grants ?? [], allocations: allocations ?? [] });
}

/** entitleAll is for the end of a recovery: everybody who waits is granted. */
export function entitleAll(parts: LateParts): void {
  for (const reader of parts.hub.readers()) entitleLater(parts, reader);
}
