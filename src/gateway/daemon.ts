import { loadLive } from "#kube";
import { aborted, type Room, runAll } from "#life";
import { chooseDataPlane, loadTunnelKey } from "#tunnel";
import { err, ok, type Result } from "#values";
import { openCache } from "./cache.ts";
import { withClusterFacts } from "./cluster-facts.ts";
import { compose, type Found, type GatewayDeps } from "./compose.ts";
import { listen } from "./events.ts";
import { hostMark } from "./host-mark.ts";
import { clearCluster, forget, type LeaveRequest, tellBroker, undo } from "./leave.ts";
import { openMembership } from "./membership.ts";
import { createNetworkFile } from "./network-file.ts";
import type { GatewayOptions } from "./options.ts";
import { createRouteWatcher, createTicker } from "./rooms.ts";
import { routesHere } from "./routes-here.ts";
import type { Gateway } from "./state.ts";
import { createWithholding } from "./withholding.ts";

export interface GatewayDaemon extends Room {
  readonly gateway: Gateway;
  /** Null once it serves; else why it does not yet. */
  notReady(): string | null;
  /** leave ends the membership (or this gateway's part in it) and takes everything of ours off this host. */
  leave(request: LeaveRequest): Promise<Result<{ readonly message: string }>>;
}

/** openGateway reads identity, cache and machine, and refuses what does not fit. Nothing is changed yet. */
export async function openGateway(
  options: GatewayOptions,
  deps: GatewayDeps,
  signal: AbortSignal,
): Promise<Result<GatewayDaemon>> {
  const dataPlane = await chooseDataPlane({
    mode: options.dataPlane,
    wireguardGo: options.wireguardGo,
    path: options.path,
  });
  if (!dataPlane.ok) return dataPlane;
  const membership = await openMembership(options, deps.clock, signal);
  if (!membership.ok) return membership;
  const tunnelKey = await loadTunnelKey(options.dataDir);
  if (!tunnelKey.ok) return tunnelKey;
  const cache = openCache(options.dataDir);
  if (!cache.ok) return cache;
  const live = options.kubernetes === null ? null : await loadLive();
  const complete = await withClusterFacts(options, { ...deps, cache: cache.value, live }, signal);
  if (!complete.ok) {
    cache.value.close();
    return complete;
  }
  const routes = dataPlane.value.mode === "none" ? [] : await routesHere();
  const found = {
    host: await hostMark(),
    dataPlane: dataPlane.value,
    membership: membership.value,
    cache: cache.value,
    tunnelKey: tunnelKey.value,
    live,
    routes,
  };
  return ok(new Daemon(complete.value, deps, found));
}

class Daemon implements GatewayDaemon {
  readonly name = "gateway";
  readonly gateway: Gateway;
  readonly #fatal = Promise.withResolvers<string>();
  readonly #left = new AbortController();
  #stopped: Promise<void> = Promise.resolve();

  constructor(options: GatewayOptions, deps: GatewayDeps, found: Found) {
    this.gateway = compose(options, deps, found, (reason) => this.#fatal.resolve(reason));
  }

  /** run serves until the signal, or until it has left; packets go on without it. */
  async run(signal: AbortSignal): Promise<void> {
    const { cache, membership, follower, session } = this.gateway;
    listen(this.gateway);
    if (membership.identity !== null) await follower.load();
    if (follower.catalogue.members.get(this.gateway.options.cluster)?.gone != null) membership.ended();
    for (const member of follower.catalogue.live()) for (const key of member.exports.keys()) session.fromDisk.add(key);
    try {
      this.#stopped = runAll(this.#rooms(), AbortSignal.any([signal, this.#left.signal]));
      await this.#stopped;
      await aborted(signal);
    } finally {
      cache.close();
    }
  }

  notReady(): string | null {
    const { follower, reconciler, responder, source, plane, session } = this.gateway;
    if (!follower.synced) return "the catalogue was not received yet";
    if (plane !== null && reconciler.network === undefined) return "the broker has granted no prefix yet";
    if (source !== null && !session.sourceSynced) return "the manifests were not read yet";
    if (reconciler.passes === 0) return "the machine is not set up yet";
    if (!session.zoneSynced) return "the names are not all set up yet";
    return responder.bound.length === 0 ? "DNS is not listening yet" : null;
  }

  /** The broker is told while the session lives; then everything stops, and only then is the machine undone: nothing
   *  is left that could make it again. */
  async leave(request: LeaveRequest): Promise<Result<{ readonly message: string }>> {
    const { options } = this.gateway;
    const told = await tellBroker(this.gateway, request);
    if (!told.ok && !request.force) {
      return err(
        `the broker was not told (${told.error}); nothing was changed. Try again, or give --force to leave all the same`,
      );
    }
    this.#left.abort();
    await this.#stopped.catch(() => {});
    const undone = await undo(this.gateway);
    if (!undone.ok) return undone;
    const cleared = request.gateway ? "" : await clearCluster(this.gateway);
    await forget(this.gateway, request);
    const what = request.gateway ? `gateway ${options.name}` : `cluster ${options.cluster}`;
    const note = told.ok ? "" : ": the broker does not know, evict it there";
    return ok({ message: `${what} left; everything of it on this host is undone${cleared}${note}` });
  }

  #rooms(): readonly Room[] {
    const { responder, client, reconciler, speaker, announcer, prober, source, kubernetes, plane } = this.gateway;
    const rooms: Room[] = [
      responder,
      client,
      reconciler,
      speaker,
      announcer,
      prober,
      createTicker(this.gateway),
      this.#fatalRoom(),
    ];
    if (source !== null) rooms.push(source);
    if (kubernetes !== null) rooms.push(kubernetes);
    if (plane !== null) rooms.push(createRouteWatcher(this.gateway), createWithholding(this.gateway), plane.tunnels);
    if (plane !== null && kubernetes === null) rooms.push(createNetworkFile(this.gateway));
    return rooms;
  }

  /** A join that was refused ends the daemon: nothing it could do would be right. */
  #fatalRoom(): Room {
    return {
      name: "membership",
      run: async (signal) => {
        const reason = await Promise.race([this.#fatal.promise, aborted(signal).then(() => null)]);
        if (reason !== null) throw new Error(reason);
      },
    };
  }
}
