import { addressAt, type Cidr, expect, type Ip, parseCidr } from "#values";
import { exec, ipBatch } from "./exec.ts";
import { createPlace, type Place } from "./place.ts";
import type { Run } from "./run.ts";

/** UNDERLAY is the network between the nodes of all clusters: what the internet is to real ones. */
export const UNDERLAY: Cidr = expect(parseCidr("172.31.0.0/24"));
/** Where the underlay itself, and so the broker, is reached; default gateway of every node. */
export const UNDERLAY_ADDRESS: Ip = addressAt(UNDERLAY, 1n);

/** The address of a bridge. One that has none of its own takes the lowest of its ports, and another when that one goes:
 *  whoever knew the old one is then not heard for seconds. */
export const BRIDGE_MAC = "02:00:00:00:00:01";

/** createUnderlay makes a place with a bridge `br0` to which nodes are attached. It knows no way to any pod or global
 *  address: a packet that leaves a node in clear ends here, where a capture sees it. */
export async function createUnderlay(run: Run): Promise<Place> {
  const underlay = await createPlace(run, "underlay", "127.0.0.1");
  await ipBatch(underlay, [
    `link add br0 address ${BRIDGE_MAC} type bridge`,
    `addr add ${UNDERLAY_ADDRESS}/24 dev br0`,
    "link set br0 up",
  ]);
  return underlay;
}

/** attachNode gives a place an uplink `eth0` with an address on the underlay, and a default route into it. */
export async function attachNode(underlay: Place, node: Place, address: Ip): Promise<void> {
  const port = `n${address.split(".")[3]}`;
  await ipBatch(underlay, [
    `link add ${port} type veth peer name eth0 netns ${node.pid}`,
    `link set ${port} master br0 up`,
  ]);
  await ipBatch(node, [
    `addr add ${address}/24 dev eth0`,
    "link set eth0 up",
    `route add default via ${UNDERLAY_ADDRESS}`,
  ]);
}

/** cutNode takes a node's uplink down at the underlay's end, or back up: a cable that is pulled. */
export async function cutNode(underlay: Place, address: Ip, state: "down" | "up"): Promise<void> {
  await exec(underlay, ["ip", "link", "set", `n${address.split(".")[3]}`, state]);
}

/** detachNode takes a node's uplink away for good, as the kernel does a while after the last process of its namespace. */
export async function detachNode(underlay: Place, address: Ip): Promise<void> {
  await exec(underlay, ["ip", "link", "del", `n${address.split(".")[3]}`]);
}
