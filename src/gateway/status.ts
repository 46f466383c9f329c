import { slices, type Trouble } from "#life";
import type { ProbeReport } from "#probe";
import { interfaceName, type PeerStatus } from "#tunnel";
import { formatHostPort, type TunnelKey } from "#values";
import { wayId } from "./compile-network.ts";
import type { PairMode } from "./pair-modes.ts";
import type { Gateway } from "./state.ts";
import { modesNow } from "./view.ts";

/** GatewayStatus is what `meridian status -o json` prints: stable names, seconds and bytes as numbers. */
export interface GatewayStatus {
  readonly role: string;
  readonly cluster: string | null;
  readonly name: string | null;
  readonly version: string;
  readonly revision: number | null;
  readonly stateAgeSeconds: number | null;
  readonly broker: { readonly url: string | null; readonly connected: boolean };
  readonly dataPlane: {
    readonly mode: string;
    readonly implementation: string | null;
    readonly version: string | null;
  };
  readonly peers: readonly PeerView[];
  readonly exports: readonly ExportView[];
  readonly imports: readonly ImportView[];
  readonly troubles: readonly Omit<Trouble, "subject">[];
  readonly loop: { readonly maxDelaySeconds: number; readonly p99DelaySeconds: number };
}

export interface PeerView {
  readonly cluster: string;
  readonly name: string;
  readonly index: number;
  readonly interface: string;
  readonly endpoint: string | null;
  /** How its pods are reached: by their own addresses, or by global ones. */
  readonly mode: PairMode["kind"];
  readonly up: boolean;
  /** It takes no new flows. */
  readonly draining: boolean;
  readonly handshakeAgeSeconds: number | null;
  readonly rttSeconds: number | null;
  readonly lossRatio: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

export interface ExportView {
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  readonly address: string | null;
  readonly endpoints: number;
}

export interface ImportView {
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  readonly clusters: readonly string[];
  /** No exporting member can be reached: the last known locations are answered. */
  readonly stale: boolean;
}

/** statusOf reads the daemon's parts as they are now. */
export async function statusOf(gateway: Gateway): Promise<GatewayStatus> {
  const { options, follower, session, clock, dataPlane, troubles, loop, reconciler } = gateway;
  const served = [...reconciler.served.values()];
  const none = dataPlane.mode === "none";
  return {
    role: "gateway",
    cluster: options.cluster,
    name: options.name,
    version: options.version,
    revision: follower.cursor?.revision ?? null,
    stateAgeSeconds: stateAge(gateway, clock.monotonic()),
    broker: { url: session.url, connected: session.state === "live" },
    dataPlane: {
      mode: dataPlane.mode,
      implementation: none ? null : dataPlane.implementation,
      version: dataPlane.version,
    },
    peers: await peersOf(gateway),
    exports: await exportsOf(gateway),
    imports: served.map(({ namespace, name, type, clusters, stale }) => ({ namespace, name, type, clusters, stale })),
    troubles: troubles.list().map(({ subject, detail, ...trouble }) => ({
      ...trouble,
      detail: subject === "" ? detail : `${subject}: ${detail}`,
    })),
    loop: { maxDelaySeconds: loop.maxSeconds(), p99DelaySeconds: loop.p99Seconds() },
  };
}

/** How long ago the state was known to be the newest: 0 while the broker talks, else since it last did. */
function stateAge({ session }: Gateway, now: number): number | null {
  if (session.state === "live") return 0;
  return session.heardAt === null ? null : (now - session.heardAt) / 1000;
}

async function peersOf(gateway: Gateway): Promise<readonly PeerView[]> {
  const { follower, options, plane, prober, clock } = gateway;
  const modes = modesNow(gateway);
  const measured = new Map(prober.reports().map((report): [string, ProbeReport] => [report.id, report]));
  const devices = plane === null ? undefined : await plane.tunnels.status();
  const tunnels = new Map(
    (devices?.ok === true ? devices.value : []).map((peer): [TunnelKey, PeerStatus] => [peer.publicKey, peer]),
  );
  const now = clock.now();
  return follower.catalogue.live().flatMap((member) => {
    if (member.cluster === options.cluster) return [];
    return [...member.gateways.values()].map(({ body }): PeerView => {
      const report = measured.get(wayId(member.cluster, body.name));
      const tunnel = tunnels.get(body.tunnelKey);
      const handshake = tunnel?.latestHandshake ?? null;
      return {
        cluster: member.cluster,
        name: body.name,
        index: body.index,
        interface: interfaceName(body.index),
        endpoint: tunnel?.endpoint == null ? null : formatHostPort(tunnel.endpoint),
        mode: modes.get(member.cluster)?.kind ?? "globalnet",
        up: report?.up ?? false,
        draining: body.draining === true,
        handshakeAgeSeconds: handshake === null ? null : Math.max(0, (now - handshake) / 1000),
        rttSeconds: report?.rttSeconds ?? null,
        lossRatio: report?.lossRatio ?? 0,
        receivedBytes: tunnel?.receivedBytes ?? 0,
        sentBytes: tunnel?.sentBytes ?? 0,
      };
    });
  });
}

/** In slices: reading ten thousand exports takes longer than anybody should wait for the event loop. */
async function exportsOf({ follower, options }: Gateway): Promise<readonly ExportView[]> {
  const own = follower.catalogue.members.get(options.cluster)?.exports;
  const views: ExportView[] = [];
  await slices([...(own?.keys() ?? [])], (key) => {
    const body = own?.get(key);
    if (body === undefined) return;
    const address = follower.catalogue.ledger.serviceAddress(key) ?? null;
    const endpoints = body.slices.reduce((sum, slice) => sum + slice.endpoints.length, 0);
    views.push({ namespace: body.namespace, name: body.name, type: body.type, address, endpoints });
  });
  return views;
}
