import { poolsOf } from "#ipam";
import { type ClusterId, cidrFamily, type Ip } from "#values";
import { type CompiledNetwork, compileNetwork, type Place, placeOf } from "./compile-network.ts";
import { type CompiledService, compileService } from "./compile-service.ts";
import type { Translation } from "./export-body.ts";
import { hostOf, readMachine } from "./machine.ts";
import { siblingAddresses } from "./siblings.ts";
import type { Statement } from "./speaker.ts";
import type { Gateway } from "./state.ts";
import { statementOf, translationOf } from "./statements.ts";

/** The view: what the pure compilers are given, gathered from the daemon's parts at the moment they are asked. */

/** How long a new service whose members cannot be reached yet waits for its first tunnel. */
const FIRST_REACH_MS = 3000;

/** ownPlace is what this gateway was granted; undefined until the broker has granted all of it. */
export function ownPlace({ follower, options }: Pick<Gateway, "follower" | "options">): Place | undefined {
  return placeOf(follower.catalogue, options.cluster, options.name);
}

/** networkNow looks at the machine and compiles the network; undefined while a part of it is not known. */
export async function networkNow(gateway: Gateway): Promise<CompiledNetwork | undefined> {
  const { options, session, membership, follower, troubles, plane } = gateway;
  const supernet = session.supernets.find((cidr) => cidrFamily(cidr) === 4);
  if (plane === null || supernet === undefined) return undefined;
  const machine = await readMachine({
    towards: [...membership.urls().flatMap((url) => hostOf(url) ?? []), ...peerHosts(gateway)],
    podCidrs: options.podCidrs,
    given: options.endpoint?.host ?? null,
    siblings: siblingAddresses({ catalogue: follower.catalogue, own: options.cluster, gateway: options.name }),
  });
  if (machine.ok) {
    session.machine = machine.value;
    gateway.announcer.changed(); // it says where siblings reach this node
    troubles.clear("machine-unread");
  } else {
    const title = "The way to the underlay is not known";
    troubles.set({ code: "machine-unread", severity: "warning", title, subject: "", detail: machine.error });
  }
  return networkAgain(gateway);
}

/** networkAgain compiles the network from what was read of the machine last: nothing of it changes with a verdict. */
export function networkAgain({ options, session, follower, prober }: Gateway): CompiledNetwork | undefined {
  const supernet = session.supernets.find((cidr) => cidrFamily(cidr) === 4);
  if (session.machine === null || supernet === undefined) return undefined;
  return compileNetwork({
    catalogue: follower.catalogue,
    own: options.cluster,
    gateway: options.name,
    supernet,
    servicePrefix: poolsOf(supernet).services,
    listenPort: options.listenPort,
    leaving: session.drain === "leaving",
    isUp: (id) => prober.isUp(id),
    ...session.machine,
  });
}

/** Siblings are left out: the way to a member of the same network is not the way outside. */
function peerHosts({ follower, options }: Gateway): readonly Ip[] {
  return follower.catalogue
    .live()
    .filter(({ cluster }) => cluster !== options.cluster)
    .flatMap((member) =>
      [...member.gateways.values()].flatMap(({ body }) => body.endpoints.flatMap((endpoint) => endpoint?.host ?? [])),
    );
}

/** serviceNow compiles one service; `last` are the members that answered until now. Without a data plane every member
 *  counts as reachable. */
export function serviceNow(
  gateway: Gateway,
  key: string,
  last: readonly ClusterId[] = gateway.reconciler.served.get(key)?.serving ?? [],
): CompiledService | undefined {
  const { follower, options, plane, verdicts } = gateway;
  const reachable = plane === null ? () => true : (cluster: ClusterId) => verdicts.of(cluster) === "up";
  return compileService(follower.catalogue, key, {
    own: options.cluster,
    translation: translationNow(gateway),
    reachable,
    last,
  });
}

function translationNow(gateway: Gateway): Translation {
  const { options, session } = gateway;
  return translationOf(ownPlace(gateway), session.machine?.nodeLocal ?? options.endpoint?.host ?? null);
}

/** statementNow is what one record of ours should say. */
export function statementNow(gateway: Gateway, key: string): Statement | undefined {
  const { follower, options, source, clock } = gateway;
  if (source === null) return undefined;
  const view = {
    cluster: options.cluster,
    catalogue: follower.catalogue,
    manifests: source.current(),
    translation: translationNow(gateway),
    now: clock.now(),
  };
  return statementOf(view, key);
}

/** mayAnnounce holds a new service back while none of its members can be reached yet, though not for long: a name is
 *  announced when it works. What was served before this start is answered at once. */
export function mayAnnounce({ plane, reconciler, clock, session }: Gateway, service: CompiledService): boolean {
  if (plane === null) return true;
  if (reconciler.network === undefined) return false;
  const { firstSeen, fromDisk } = session;
  const first = firstSeen.get(service.key) ?? clock.monotonic();
  const may = !service.stale || fromDisk.has(service.key) || clock.monotonic() - first > FIRST_REACH_MS;
  if (!may) {
    firstSeen.set(service.key, first);
    return false;
  }
  firstSeen.delete(service.key); // what is withdrawn and comes again is new
  fromDisk.delete(service.key);
  return true;
}
