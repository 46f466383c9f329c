import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import {
  type Cluster,
  type ClusterNode,
  createCluster,
  firstNode,
  inside,
  ipBatch,
  mustExec,
  type Place,
  SERVICE_CIDR,
} from "#lab";
import { systemClock } from "#life";
import { type Cidr, expect, parseCidr } from "#values";

/** HandTunnel is two clusters with CIDRs of their own, joined by one tunnel that `wg`, `ip` and nobody else set up: no
 *  translation, no guard, no daemon. */
export interface HandTunnel {
  readonly near: Cluster;
  readonly far: Cluster;
}

const PORT = 51_820;
const INTERFACE = "wg0";

/** raiseHandTunnel runs the same wireguard-go as the program does, with the same MTU. */
export async function raiseHandTunnel(underlay: Place, wireguard: string, mtu: number): Promise<HandTunnel> {
  const cluster = (name: string, index: number, podCidr: Cidr): Promise<Cluster> =>
    createCluster(underlay, { name, index, podCidr, serviceCidr: SERVICE_CIDR, masquerade: false });
  const near = await cluster("near", 11, expect(parseCidr("10.201.0.0/16")));
  const far = await cluster("far", 12, expect(parseCidr("10.202.0.0/16")));
  const keys = [
    await raiseInterface(firstNode(near), wireguard, mtu),
    await raiseInterface(firstNode(far), wireguard, mtu),
  ];
  await point(firstNode(near), keys[1] ?? "", firstNode(far), far.podCidr);
  await point(firstNode(far), keys[0] ?? "", firstNode(near), near.podCidr);
  return { near, far };
}

/** raiseInterface starts the process, as the program does in a session of its own, and gives the public key. */
async function raiseInterface(node: ClusterNode, wireguard: string, mtu: number): Promise<string> {
  const [program = "", ...args] = inside(node, ["setsid", wireguard, "-f", INTERFACE]);
  spawn(program, args, { detached: true, stdio: "ignore" }).unref();
  const control = `/proc/${node.pid}/root/run/wireguard/${INTERFACE}.sock`;
  for (let round = 0; !existsSync(control); round++) {
    if (round === 500) throw new Error(`${wireguard} does not make ${INTERFACE} in ${node.name}`);
    await systemClock.sleep(10);
  }
  const key = (await mustExec(node, ["wg", "genkey"])).trim();
  const config = `[Interface]\nPrivateKey = ${key}\nListenPort = ${PORT}\n`;
  await mustExec(node, ["sh", "-c", `umask 077; cat > /run/wg.conf; wg setconf ${INTERFACE} /run/wg.conf`], {
    stdin: config,
  });
  await ipBatch(node, [`link set ${INTERFACE} mtu ${mtu} up`]);
  return (await mustExec(node, ["wg", "pubkey"], { stdin: key })).trim();
}

async function point(node: ClusterNode, key: string, other: ClusterNode, pods: Cidr): Promise<void> {
  const peer = ["peer", key, "endpoint", `${other.address}:${PORT}`, "allowed-ips", pods];
  await mustExec(node, ["wg", "set", INTERFACE, ...peer]);
  await ipBatch(node, [`route add ${pods} dev ${INTERFACE}`]);
}
