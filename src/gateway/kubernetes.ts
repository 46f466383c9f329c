import { WITHDRAW_MS } from "#globalnet";
import { fingerprintOf } from "#identity";
import type { ImportSink, Live, NetworkSink, WantedImport } from "#kube";
import type { Clock, Log, Room, Troubles } from "#life";
import { runAll } from "#life";
import { type Condition, conditionsOf, mergeExports } from "#services";
import { wayId } from "./compile-network.ts";
import { awaitsAddress, type CompiledService, exportsOf } from "./compile-service.ts";
import { exportBodyOf } from "./export-body.ts";
import type { KubernetesSide } from "./kubernetes-side.ts";
import { networkDocument } from "./network-now.ts";
import type { GatewayOptions } from "./options.ts";
import type { Gateway } from "./state.ts";
import { exportKey } from "./statements.ts";
import { plainNodesNow, translationNow } from "./view.ts";

interface Deps {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly troubles: Troubles;
  /** The whole gateway, once it is composed. */
  readonly self: () => Gateway;
}

/** How often it is looked whether this gateway may write: it speaks for its cluster, or does not any more. */
const LOOK_MS = 200;
/** A name waits so long for the cluster's other nodes to hear of its service address. */
const SPREAD_MS = 250;

/** createKubernetesSide joins the API server's watches, the source and the sinks; null where exports are read from a
 *  folder. */
export function createKubernetesSide(
  { kubernetes, exportMarkers: markers, clustersetIp, namespace, version }: GatewayOptions,
  live: Live | null,
  deps: Deps,
): KubernetesSide | null {
  if (kubernetes === null || live === null) return null;
  const { clock, log, random, troubles, self } = deps;
  const api = new live.ApiServer(kubernetes, clock, version);
  const mayWrite = (): boolean => isWriter(self());
  const common = { api, clock, random, troubles, mayWrite };
  const imports = new live.ImportSink({
    ...common,
    hasNamespace: (namespace) => source.current().namespaces.has(namespace),
    clustersetIp,
    onAddress: (key) => self().reconciler.markServices([key]),
    spreadMs: () => (plainNodesNow(self()).length > 0 ? SPREAD_MS : 0),
    lingerMs: WITHDRAW_MS,
  });
  const exports = new live.ExportSink({ ...common, conditionsOf: (key) => conditionsNow(self(), key) });
  const sinks = { ...imports.followers(), exports: exports.follower() };
  const source = live.createKubernetesSource({ api, clock, log, random, troubles, reads: "exports", markers, sinks });
  const again = (): void => {
    imports.again();
    exports.again();
    properties.again();
    network.again();
  };
  const properties = new live.PropertySink({ ...common, log, properties: () => propertiesOf(self(), live) });
  const network = new live.NetworkSink({ ...common, log, namespace, network: () => networkDocument(self()) });
  const owes = (): boolean => imports.owes || exports.owes;
  const watcher = createWatcher(deps, { imports, network, mayWrite, owes, again });
  return {
    name: "kubernetes",
    source,
    get listed() {
      return imports.listed;
    },
    serve: (key, service) => imports.want(key, service === undefined ? null : wantedOf(self(), service)),
    changed: (keys) => exports.changed(keys),
    answer: (key, address) => imports.answer(key, address),
    removeAll: (signal) => live.removeAll(api, signal),
    run: async (signal) => {
      try {
        await runAll([imports, exports, properties, network, watcher], signal);
      } finally {
        api.close();
      }
    },
  };
}

/** Of several gateways the one that speaks for the member writes. While the broker is away after a restart nobody is told
 *  to speak: then it is the first by index of those that live, and two that write the same for a moment do no harm. */
export function isWriter({ speaker, session, follower, options, prober }: Gateway): boolean {
  if (speaker.epoch !== null) return true;
  if (session.state === "live" || !follower.synced) return false;
  const gateways = [...(follower.catalogue.members.get(options.cluster)?.gateways.values() ?? [])];
  const own = gateways.find(({ body }) => body.name === options.name);
  if (own === undefined) return false;
  return !gateways.some(({ body: { name, index } }) => {
    return index < own.body.index && prober.isUp(wayId(options.cluster, name)) === true;
  });
}

/** Who this cluster is, and of which clusterset: that of one broker's allocation key (KEP-2149). */
function propertiesOf({ membership, options }: Gateway, live: Live): Readonly<Record<string, string>> | undefined {
  const { identity } = membership;
  if (identity === null) return undefined;
  const clusterset = fingerprintOf(identity.allocationKey);
  return { [live.CLUSTER_PROPERTY]: options.cluster, [live.CLUSTERSET_PROPERTY]: clusterset };
}

interface Writing {
  readonly imports: ImportSink;
  readonly network: NetworkSink;
  readonly mayWrite: () => boolean;
  /** Whether something was passed over since the last look at everything. */
  readonly owes: () => boolean;
  readonly again: () => void;
}

/** The watcher has everything written when this gateway begins to speak, when a namespace comes, and has what is not
 *  wanted deleted once all that is wanted is known. */
function createWatcher({ clock, self }: Deps, { imports, network, mayWrite, owes, again }: Writing): Room {
  return {
    name: "kubernetes writer",
    async run(signal) {
      let wrote = false;
      let complete = false;
      let namespaces: ReadonlySet<string> = new Set();
      while (!signal.aborted) {
        const known = self().source?.current().namespaces ?? namespaces;
        // What came while nobody was told to write may be owed although that took less than a look.
        if ((mayWrite() && (!wrote || owes())) || !known.isSubsetOf(namespaces)) again();
        wrote = mayWrite();
        network.look();
        namespaces = new Set(known);
        if (!complete && self().session.zoneSynced) {
          complete = true;
          imports.complete();
        }
        await clock.sleep(LOOK_MS, signal).catch(() => {});
      }
    },
  };
}

/** wantedOf is what a compiled service is to be in this cluster. */
export function wantedOf(
  { options }: Pick<Gateway, "options">,
  { imported, address, backends, draining, stale }: CompiledService,
): WantedImport {
  const ready = readyOf(imported.ipFamilies, stale);
  return { imported, address, backends, draining, own: options.cluster, ready };
}

/** Only IPv4 is translated in this version (I4). */
function readyOf(families: readonly string[], stale: boolean): WantedImport["ready"] {
  if (!families.includes("IPv4")) {
    const message = "The service is exported with IPv6 alone, which is not translated here.";
    return { status: "False", reason: "IPFamilyNotSupported", message };
  }
  const message = stale
    ? "No exporting cluster can be reached: these are the last known endpoints."
    : "The service can be reached.";
  return { status: "True", reason: "Ready", message };
}

/** conditionsNow is what an export's writer is told; undefined where there is no such export. */
export function conditionsNow(gateway: Gateway, key: string): readonly Condition[] | undefined {
  const { source, follower, options, speaker } = gateway;
  const local = source?.current().exports.get(key);
  if (local === undefined) return undefined;
  const exports = exportsOf(follower.catalogue, key);
  const type = local.service?.type;
  const said = exportBodyOf(local, 0, translationNow(gateway));
  const endpoints = said?.slices.reduce((sum, slice) => sum + slice.endpoints.length, 0) ?? 0;
  const there = local.slices.reduce((sum, slice) => sum + slice.endpoints.flatMap((one) => one.addresses).length, 0);
  return conditionsOf(exports.length === 0 ? null : mergeExports(exports), {
    service: type === undefined ? "missing" : type === "ExternalName" ? "external-name" : "valid",
    published: speaker.isPublished(exportKey(options.cluster, key)),
    address: awaitsAddress(follower.catalogue, key) ? null : (follower.catalogue.ledger.serviceAddress(key) ?? null),
    endpoints,
    leftOut: there - endpoints,
  });
}
