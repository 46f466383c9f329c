import type { Allocation } from "#ipam";
import type { ClusterId, Ip, Namespace, ServiceName } from "#values";
import type { GrantEntry } from "#wire";
import type { Book } from "./book.ts";

interface Granted {
  readonly grants: readonly GrantEntry[];
  readonly allocations: readonly Allocation[];
}

/** addressesFor grants a service address to every exported ClusterSetIP name, of the given ones, that has none, and
 *  takes one that rests out of quarantine. A name for which there is none stays without one (its export is Pending);
 *  that is no fault of the publication. A restored broker grants none before it knows what is taken. */
export function addressesFor(book: Book, cluster: ClusterId, names: Iterable<string>): Granted {
  if (book.recovering) return { grants: [], allocations: [] };
  const exports = book.catalogue.members.get(cluster)?.exports;
  const asks: { cluster: ClusterId; namespace: Namespace; name: ServiceName }[] = [];
  for (const key of names) {
    const body = exports?.get(key);
    if (body?.type !== "ClusterSetIP" || isLive(book, book.catalogue.ledger.serviceAddress(key))) continue;
    asks.push({ cluster, namespace: body.namespace, name: body.name });
  }
  const grants: GrantEntry[] = [];
  const allocations: Allocation[] = [];
  for (const proposal of asks.length === 0 ? [] : book.ipam.proposeServices(asks, book.clock.now())) {
    if (!proposal.ok) continue;
    const { prefix, namespace, name } = proposal.value;
    if (namespace === null || name === null) continue;
    allocations.push(proposal.value);
    if (book.catalogue.ledger.serviceAddress(`${namespace}/${name}`) !== undefined) continue; // everybody knows it
    grants.push({ kind: "service", namespace, name, address: prefix.slice(0, prefix.indexOf("/")) as Ip });
  }
  return { grants, allocations };
}

/** An address that rests is still known to everybody, but goes to others when its time is over. */
function isLive(book: Book, address: Ip | undefined): boolean {
  return address !== undefined && book.ipam.whois(address)?.state === "live";
}
