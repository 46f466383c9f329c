import type { Clock } from "#life";
import type { Guest, Refused } from "#sync";
import type { Login } from "#wire";
import type { Hub, Reader } from "./hub.ts";

/** A gateway reports every few seconds; one that was silent for so long is not there any more. */
const FRESH_MS = 15_000;

/** clashOf says what speaks against a gateway whose key is right: another host has its name, or its cluster's other
 *  gateways were told another network than it. Undefined where nothing does. */
export function clashOf(hub: Hub, clock: Clock, { login, link }: Guest): Refused | undefined {
  const { cluster, gateway } = login;
  const isFresh = ({ lastSeen }: Reader): boolean => clock.now() - lastSeen < FRESH_MS;
  const same = hub.find(cluster, gateway);
  if (same !== undefined && isFresh(same) && !isSameHost(same, { login, link })) {
    const both = `from ${whereOf(same.link, same.login)}; this one is ${whereOf(link, login)}`;
    const remedy = "choose another --name, or stop that gateway";
    return { code: "name-in-use", message: `the gateway name ${gateway} is in use ${both}: ${remedy}`, retry: true };
  }
  for (const reader of hub.readers()) {
    if (reader.cluster !== cluster || reader.gateway === gateway || !isFresh(reader)) continue;
    const [theirs, ours] = [placeOf(reader.login), placeOf(login)];
    if (theirs === ours) continue;
    const message = `the gateways of ${cluster} must be told the same: ${reader.gateway} has ${theirs}; ${gateway} has ${ours}`;
    return { code: "sibling-differs", message, retry: true };
  }
  return undefined;
}

/** The same daemon comes back from the same address with the same tunnel key, on the same host; a host that was made
 *  anew from a copied identity, or from a copy of the whole data folder behind the same address, does not. */
function isSameHost({ link, login }: Reader, guest: Pick<Guest, "login" | "link">): boolean {
  const hosts = [login.host ?? null, guest.login.host ?? null];
  const differ = hosts[0] !== hosts[1] && !hosts.includes(null);
  return link.remote === guest.link.remote && login.tunnelKey === guest.login.tunnelKey && !differ;
}

/** Address, and what tells two behind one address apart. */
function whereOf({ remote }: Pick<Guest["link"], "remote">, { tunnelKey, host }: Pick<Login, "tunnelKey" | "host">) {
  const key = tunnelKey === null ? "" : `, tunnel key ${tunnelKey.slice(0, 8)}…`;
  return `${remote}${key}${host == null ? "" : `, host ${host.slice(0, 8)}`}`;
}

/** What all gateways of one cluster share: its networks, and where its exports are read. */
function placeOf({ network, source }: Pick<Login, "network" | "source">): string {
  const pods = network.pods.map(({ cidr }) => cidr).toSorted();
  const parts = [`pods ${pods.join(",")}`, `services ${network.services.toSorted().join(",")}`];
  return [...parts, ...(source === null ? [] : [`source ${source}`])].join(", ");
}
