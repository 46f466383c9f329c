import { poolsOf } from "#ipam";
import { type ClusterId, cidrFamily, type Ip } from "#values";
import { type CompiledNetwork, compileNetwork, type Place, placeOf } from "./compile-network.ts";
import { awaitsAddress, type CompiledService, compileService } from "./compile-service.ts";
import type { Translation } from "./export-body.ts";
import { hostOf, readMachine } from "./machine.ts";
import { gatewayNodes, type OtherNode, plainNodes } from "./other-nodes.ts";
import { type PairMode, pairModes } from "./pair-modes.ts";
import { siblingAddresses } from "./siblings.ts";
import type { Statement } from "./speaker.ts";
import type { Gateway } from "./state.ts";
import { statementOf, translationOf } from "./statements.ts";

/** The view: what the pure compilers are given, gathered from the daemon's parts at the moment they are asked. */

/** How long a new service waits for its address, and for the first tunnel to a member. */
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
    siblings: [
      ...siblingAddresses({ catalogue: follower.catalogue, own: options.cluster, gateway: options.name }),
      ...plainNodesNow(gateway).map(({ local }) => local),
    ],
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
export function networkAgain({ options, session, follower, source, prober }: Gateway): CompiledNetwork | undefined {
  const supernet = session.supernets.find((cidr) => cidrFamily(cidr) === 4);
  if (session.machine === null || supernet === undefined) return undefined;
  return compileNetwork({
    catalogue: follower.catalogue,
    own: options.cluster,
    gateway: options.name,
    supernet,
    servicePrefix: poolsOf(supernet).services,
    listenPort: options.listenPort,
    nodes: plainNodesNow({ options, follower, source }),
    nodeWay: options.nodeWay,
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

/** Compile makes one service of what is exported under its name; `last` are the members that answered until now. */
export type Compile = (key: string, last: readonly ClusterId[]) => CompiledService | undefined;

/** compilerNow gives what compiles services as the clusterset is now. Without a data plane every member counts as
 *  reachable. */
function compilerNow(gateway: Gateway): Compile {
  const { follower, options, plane, verdicts, kubernetes } = gateway;
  const reachable = plane === null ? () => true : (cluster: ClusterId) => verdicts.of(cluster) === "up";
  const common = {
    own: options.cluster,
    translation: translationNow(gateway),
    direct: directNow(gateway),
    reachable,
    answer: kubernetes?.answer,
  };
  return (key, last) => compileService(follower.catalogue, key, { ...common, last });
}

/** serviceNow compiles one service. */
export function serviceNow(gateway: Gateway, key: string): CompiledService | undefined {
  return compilerNow(gateway)(key, gateway.reconciler.served.get(key)?.serving ?? []);
}

/** newsCompiler compiles what is to be put in force. What was never served and has no address yet is "later", though
 *  not for long: nearly always the grant comes at once, and of ten thousand new exports each would be compiled twice. */
export function newsCompiler(gateway: Gateway): (...service: Parameters<Compile>) => ReturnType<Compile> | "later" {
  const { follower, reconciler } = gateway;
  const compile = compilerNow(gateway);
  return (key, last) => {
    const early = !reconciler.served.has(key) && awaitsAddress(follower.catalogue, key);
    return early && isNew(gateway, key) ? "later" : compile(key, last);
  };
}

/** servingCompiler is newsCompiler, and has what it compiles written to the cluster, if there is one. */
export function servingCompiler(gateway: Gateway): ReturnType<typeof newsCompiler> {
  const compile = newsCompiler(gateway);
  const { kubernetes } = gateway;
  if (kubernetes === null) return compile;
  return (key, last) => {
    const next = compile(key, last);
    if (next !== "later") kubernetes.serve(key, next);
    return next;
  };
}

/** isNew reports whether a service is asked for the first time, or was a moment ago. */
function isNew({ clock, session: { firstSeen } }: Gateway, key: string): boolean {
  const first = firstSeen.get(key) ?? clock.monotonic();
  firstSeen.set(key, first);
  return clock.monotonic() - first <= FIRST_REACH_MS;
}

/** modesNow is how the pods of each other member are reached: as is in force here, where there is a data plane. */
export function modesNow({ reconciler, follower, options }: Gateway): ReadonlyMap<ClusterId, PairMode> {
  return reconciler.network?.modes ?? pairModes(follower.catalogue, options.cluster);
}

/** What the global addresses of untranslated members stand for. Their nodes have no others. */
function directNow(gateway: Gateway): ReadonlyMap<ClusterId, Translation> {
  const { ledger } = gateway.follower.catalogue;
  const direct = [...modesNow(gateway)].filter(([, { kind }]) => kind === "direct");
  return new Map(
    direct.map(([cluster]): [ClusterId, Translation] => {
      const pods = ledger.holding(cluster)?.pods ?? [];
      return [cluster, { pods: pods.map(({ local, prefix }) => ({ local, global: prefix })), nodes: new Map() }];
    }),
  );
}

/** translationNow is how this member's addresses are translated at the moment. */
export function translationNow(gateway: Gateway): Translation {
  const { options, session, follower } = gateway;
  const others = [...plainNodesNow(gateway), ...gatewayNodes(follower.catalogue, options.cluster)];
  return translationOf(ownPlace(gateway), session.machine?.nodeLocal ?? options.endpoint?.host ?? null, others);
}

/** plainNodesNow are the member's nodes without a gateway. */
export function plainNodesNow({
  options,
  follower,
  source,
}: Pick<Gateway, "options" | "follower" | "source">): readonly OtherNode[] {
  return source === null ? [] : plainNodes(follower.catalogue, options.cluster, source.current().nodes);
}

/** statementsNow gives what tells what a record of ours should say. */
export function statementsNow(gateway: Gateway): (key: string) => Statement | undefined {
  const { follower, options, source, clock } = gateway;
  if (source === null) return () => undefined;
  const translation = translationNow(gateway);
  const { cluster } = options;
  return (key) => {
    const manifests = source.current();
    return statementOf({ cluster, catalogue: follower.catalogue, manifests, translation, now: clock.now() }, key);
  };
}

/** mayAnnounce holds a new service back while none of its members can be reached yet, though not for long: a name is
 *  announced when it works. What was served before this start is answered at once. */
export function mayAnnounce(gateway: Gateway, service: CompiledService): "now" | "later" | "told" {
  const { plane, reconciler, session, kubernetes } = gateway;
  const { type, addresses } = service.zone;
  if (kubernetes !== null && type === "ClusterSetIP" && addresses.length === 0) return "told"; // by the objects that it does not have yet
  if (plane === null) return "now";
  if (reconciler.network === undefined) return "later";
  const { firstSeen, fromDisk } = session;
  if (service.stale && !fromDisk.has(service.key) && isNew(gateway, service.key)) return "later";
  firstSeen.delete(service.key); // what is withdrawn and comes again is new
  fromDisk.delete(service.key);
  return "now";
}
