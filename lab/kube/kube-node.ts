import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Cidr, Ip } from "#values";
import { createCgroups, listCgroups, removeCgroups } from "../cgroups.ts";
import { endAll } from "../end-all.ts";
import { inside, mustExec, WRAP } from "../exec.ts";
import { holdNetworks } from "../hold.ts";
import { type Job, startJob, waitForLine } from "../job.ts";
import { createPlace, type Place } from "../place.ts";
import { MARK, processesInNetwork } from "../processes.ts";
import { attachNode, detachNode, UNDERLAY_ADDRESS } from "../underlay.ts";
import { renderCni } from "./node-files.ts";

/** KubeNode is a machine of a whole cluster. As a place it is the node's network with the machine's processes and files;
 *  the node itself is further in: mounts, pids, cgroups and System V IPC of its own, where its programs and pods are. */
export interface KubeNode extends Place {
  readonly address: Ip;
  /** The node's share of the pod CIDR, a /24. */
  readonly podRange: Cidr;
  /** Its pid 1, as the machine counts: what it sees as a file is at /proc/INIT/root. */
  readonly init: number;
  /** What its programs keep: /var/lib and /var/log of the node are below it. */
  readonly folder: string;
  /** Folders of the cgroups that its programs are in, one in every hierarchy. */
  readonly cgroups: readonly string[];
}

export interface KubeNodeSpec {
  readonly name: string;
  readonly address: Ip;
  readonly podRange: Cidr;
  readonly podCidr: Cidr;
}

const INIT = fileURLToPath(new URL("./node-init.sh", import.meta.url));
const UNSHARE = ["unshare", "--mount", "--pid", "--ipc", "--cgroup", "--fork", "--kill-child"];
/** Joins the cgroups that are named before `--`, while it still sees them. */
const JOIN = 'while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs"; shift; done; shift; exec "$@"';

/** As distributions have them; the bridge of the pods comes with the first. */
const SYSCTLS = [
  ["ipv4/ip_forward", "1"],
  ["ipv4/conf/all/send_redirects", "0"],
  ["ipv4/conf/all/rp_filter", "0"],
  ["ipv4/conf/eth0/rp_filter", "1"],
  ["bridge/bridge-nf-call-iptables", "1"], // without br_netfilter a Service does not reach a pod on its client's node
];
/** Takes names and values by turns. */
const WRITE_SYSCTLS =
  'while [ $# -gt 0 ]; do f=/proc/sys/net/$1; [ ! -e "$f" ] || echo "$2" > "$f" || exit 1; shift 2; done';

/** createKubeNode makes a node that runs nothing yet. Its CNI masquerades what leaves the cluster's pods, as most do.
 *  Throws when the machine does not allow it, and leaves nothing then. */
export async function createKubeNode(underlay: Place, spec: KubeNodeSpec): Promise<KubeNode> {
  const { name, address, podRange, podCidr } = spec;
  const place = await createPlace(underlay.run, name, UNDERLAY_ADDRESS);
  const node = { ...place, address, podRange, folder: join(place.run.folder, "data", name) };
  try {
    await attachNode(underlay, node, address);
    await mustExec(node, ["sh", "-c", WRITE_SYSCTLS, "sh", ...SYSCTLS.flat()]);
    // The plugin would masquerade what goes to pods of other nodes, too.
    await mustExec(node, ["iptables", "-t", "nat", "-A", "POSTROUTING", "-s", podCidr, "-d", podCidr, "-j", "ACCEPT"]);
    for (const part of ["var-lib", "var-log"]) await mkdir(join(node.folder, part), { recursive: true });
    await writeFile(join(node.folder, "cni.conflist"), renderCni(podRange));
    const cgroups = await createCgroups(node.run, name);
    const init = await startInit(node, node.folder, cgroups);
    return { ...node, init, cgroups: cgroups.map(programsOf) };
  } catch (reason) {
    await endKubeNode(underlay, node);
    throw reason;
  }
}

/** startOn starts a program as a process of the node; its output goes to `log/NODE-NAME.log` of the run. The job's pid is that
 *  of a parent which does not pass signals on: such a program ends with its node. */
export function startOn(node: KubeNode, name: string, argv: readonly string[]): Promise<Job> {
  const { run, init, cgroups } = node;
  const enter = ["nsenter", "-t", String(init), "-n", "-m", "-u", "-i", "-p", "-C", "--", "sh", "-c", WRAP, "sh"];
  const marked = ["env", `${MARK}=${run.folder}`, ...joining(cgroups), ...enter, ...argv];
  return startJob(run, `${node.name}-${name}`, marked);
}

/** endKubeNode ends a node with everything on it, and removes what it left. */
export async function endKubeNode(underlay: Place, node: Omit<KubeNode, "init" | "cgroups">): Promise<void> {
  const hold = await holdNetworks([node.pid]);
  try {
    const find = async (): Promise<readonly number[]> =>
      (await Promise.all([...hold.networks].map(processesInNetwork))).flat();
    await endAll(find);
    await detachNode(underlay, node.address);
  } finally {
    await hold.release();
  }
  // A pod has a network of its own: that the last one has gone is seen by the cgroups.
  await removeCgroups(await listCgroups(node.run, node.name));
  await rm(node.folder, { recursive: true, force: true });
}

async function startInit(place: Place, folder: string, cgroups: readonly string[]): Promise<number> {
  const command = [...UNSHARE, "--propagation", "private", "--mount-proc", "sh", INIT, folder, UNDERLAY_ADDRESS];
  const job = await startJob(place.run, `${place.name}-init`, [...joining(cgroups), ...inside(place, command)]);
  await waitForLine(job, (line) => line === "ready");
  return Number((await readFile(`/proc/${job.pid}/task/${job.pid}/children`, "utf8")).trim());
}

function joining(cgroups: readonly string[]): readonly string[] {
  return ["sh", "-c", JOIN, "sh", ...cgroups, "--"];
}

/** In cgroup v2 the node's own cgroup is parted: see node-init.sh. */
function programsOf(cgroup: string): string {
  const part = join(cgroup, "programs");
  return existsSync(part) ? part : cgroup;
}
