import { createPlace, ipBatch, mustExec, type Place, type Run } from "#lab";

/** WirePair is a client and a server with a node between them: two veth links, no tunnel, no program. The link to the
 *  client is called `mrd0`, as that to a peer would be.
 *
 *     client 242.2.1.10 ── mrd0  node  cni0 ── server 10.244.0.0/16, all of it */
export interface WirePair {
  readonly client: Place;
  readonly node: Place;
  readonly server: Place;
}

/** Global prefix of the node's pods, and a pod of another member as the client is seen. */
export const OWN_GLOBAL = "242.1.0.0/16";
export const CLIENT_ADDRESS = "242.2.1.10";

/** raiseWirePair builds one; the name keeps several of a run apart. */
export async function raiseWirePair(run: Run, name: string): Promise<WirePair> {
  const place = (what: string): Promise<Place> => createPlace(run, `${name}-${what}`, "127.0.0.1");
  const [client, node, server] = [await place("client"), await place("node"), await place("server")];
  await ipBatch(node, [
    `link add mrd0 type veth peer name eth0 netns ${client.pid}`,
    `link add cni0 type veth peer name eth0 netns ${server.pid}`,
    "addr add 172.30.1.1/24 dev mrd0",
    "addr add 172.30.2.1/24 dev cni0",
    "link set mrd0 up",
    "link set cni0 up",
    `route add ${CLIENT_ADDRESS} dev mrd0`,
    "route add 10.244.0.0/16 dev cni0 via 172.30.2.2 onlink",
  ]);
  await mustExec(node, ["tee", "/proc/sys/net/ipv4/ip_forward"], { stdin: "1" });
  await ipBatch(client, [
    "addr add 172.30.1.2/24 dev eth0",
    `addr add ${CLIENT_ADDRESS}/32 dev eth0`,
    "link set eth0 up",
    `route add default via 172.30.1.1 src ${CLIENT_ADDRESS}`,
  ]);
  await ipBatch(server, [
    "addr add 172.30.2.2/24 dev eth0",
    "link set eth0 up",
    "route add default via 172.30.2.1",
    "route add local 10.244.0.0/16 dev lo", // every pod address is its own
  ]);
  return { client, node, server };
}
