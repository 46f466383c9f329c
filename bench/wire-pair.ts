import { createPlace, ipBatch, mustExec, type Place, type Run } from "#lab";

/** WirePair is a node with its pods on one side and a peer on the other: two veth links, no tunnel, no program. The link
 *  to the peer is called `mrd0`, as a tunnel would be.
 *
 *     peer 242.2.1.10 ── mrd0  node  cni0 ── pods 10.244.0.0/16, every address of it */
export interface WirePair {
  readonly peer: Place;
  readonly node: Place;
  readonly pods: Place;
}

/** A pod of another member, as this node sees it, and one of this node's own. */
export const PEER_ADDRESS = "242.2.1.10";
export const POD_ADDRESS = "10.244.1.10";

/** raiseWirePair builds one; the name keeps several of a run apart. */
export async function raiseWirePair(run: Run, name: string): Promise<WirePair> {
  const place = (what: string): Promise<Place> => createPlace(run, `${name}-${what}`, "127.0.0.1");
  const [peer, node, pods] = [await place("peer"), await place("node"), await place("pods")];
  await ipBatch(node, [
    `link add mrd0 type veth peer name eth0 netns ${peer.pid}`,
    `link add cni0 type veth peer name eth0 netns ${pods.pid}`,
    "addr add 172.30.1.1/24 dev mrd0",
    "addr add 172.30.2.1/24 dev cni0",
    "link set mrd0 up",
    "link set cni0 up",
    `route add ${PEER_ADDRESS} dev mrd0`,
    "route add 10.244.0.0/16 dev cni0 via 172.30.2.2 onlink",
  ]);
  await mustExec(node, ["tee", "/proc/sys/net/ipv4/ip_forward"], { stdin: "1" });
  await ipBatch(peer, [
    "addr add 172.30.1.2/24 dev eth0",
    `addr add ${PEER_ADDRESS}/32 dev eth0`,
    "link set eth0 up",
    `route add default via 172.30.1.1 src ${PEER_ADDRESS}`,
  ]);
  await ipBatch(pods, [
    "addr add 172.30.2.2/24 dev eth0",
    "link set eth0 up",
    `addr add ${POD_ADDRESS}/32 dev eth0`,
    "route add local 10.244.0.0/16 dev lo", // every pod address is its own
    `route add default via 172.30.2.1 src ${POD_ADDRESS}`,
  ]);
  return { peer, node, pods };
}
