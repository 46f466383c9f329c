import { formatHostPort, type TunnelKey } from "#values";
import type { ConfigureStep, Step } from "./step.ts";
import type { TunnelInterface, TunnelPeer } from "./tunnel-plan.ts";
import { endpointKey, type PeerState, type TunnelState } from "./tunnel-state.ts";

/** configureSteps sets peers that are missing or differ, and touches no other: setting a peer takes its allowed-ips
 *  away for a moment, which a packet of a live connection may meet. */
export function configureSteps(have: TunnelState, interfaces: readonly TunnelInterface[]): readonly ConfigureStep[] {
  return interfaces.flatMap((want) => {
    const device = have.interfaces.get(want.index)?.device ?? null;
    const same = device !== null && device.listenPort === want.listenPort && device.publicKey === have.publicKey;
    const peers = distinctPeers(want, have.publicKey).flatMap((peer) => {
      const present = device?.peers.get(peer.publicKey);
      const endpoint = present && isSet(have, want.index, peer, present) ? null : peer.endpoint;
      const right = present !== undefined && endpoint === null && sameTraffic(peer, present);
      return right ? [] : [{ ...peer, endpoint }];
    });
    if (same && peers.length === 0) return [];
    return [{ kind: "configure", index: want.index, listenPort: same ? null : want.listenPort, peers } as const];
  });
}

/** forgetSteps takes away peers that are on an interface and not in the plan. */
export function forgetSteps(have: TunnelState, interfaces: readonly TunnelInterface[]): readonly Step[] {
  return interfaces.flatMap(({ index, peers }) => {
    const keep = new Set(peers.map((peer) => peer.publicKey));
    const surplus = [...(have.interfaces.get(index)?.device?.peers.keys() ?? [])].filter((key) => !keep.has(key));
    return surplus.length === 0 ? [] : [{ kind: "forget", index, peers: surplus } as const];
  });
}

/** isSet reports whether a peer's endpoint needs no setting. WireGuard moves it to wherever the peer was heard last, so
 *  the wanted one is compared with the one that *we* set last (kept on disk), and with WireGuard's only where we know
 *  of none. A peer without any endpoint is always told the wanted one. */
function isSet(have: TunnelState, index: number, peer: TunnelPeer, present: PeerState): boolean {
  if (peer.endpoint === null) return true;
  if (present.endpoint === null) return false;
  const last = have.lastEndpoints.get(endpointKey(index, peer.publicKey)) ?? present.endpoint;
  return last === formatHostPort(peer.endpoint);
}

function sameTraffic(want: TunnelPeer, have: PeerState): boolean {
  const allowed = [...want.allowedIps].sort().join();
  return want.keepaliveSeconds === have.keepaliveSeconds && allowed === [...have.allowedIps].sort().join();
}

/** distinctPeers resolves what WireGuard cannot hold: a key has one entry, and a prefix of an interface one peer.
 *  The first has it, and nobody has our own key. Otherwise a member that claims what is another's would make WireGuard
 *  and the plan disagree for ever. */
function distinctPeers({ peers }: TunnelInterface, own: TunnelKey | null): readonly TunnelPeer[] {
  const keys = new Set<string | null>([own]);
  const prefixes = new Set<string>();
  return peers.flatMap((peer) => {
    if (keys.has(peer.publicKey)) return [];
    keys.add(peer.publicKey);
    const allowedIps = [...new Set(peer.allowedIps)].filter((prefix) => !prefixes.has(prefix));
    for (const prefix of allowedIps) prefixes.add(prefix);
    return [{ ...peer, allowedIps }];
  });
}
