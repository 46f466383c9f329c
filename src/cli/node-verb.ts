import { createNodeMetrics } from "#metrics";
import { NodeDaemon, type NodeOptions } from "#node";
import { ok, parseNodeName } from "#values";
import { daemonLog } from "./daemon-log.ts";
import { checkKubeAccess, KUBE_SETTINGS, NAMESPACE_SETTING, readKubeAccess, readNamespace } from "./kube-access.ts";
import { dataDir, futureFile, listenAt } from "./parsers.ts";
import { Reader } from "./reader.ts";
import { serveDaemon } from "./serve-daemon.ts";
import { CONFIG, DAEMON, refuse, type Surroundings, type Verb } from "./verb.ts";

/** node runs the way of a node's pods to the gateways until a signal. */
export const nodeVerb: Verb = {
  name: "node",
  summary: "run on a node without a gateway: the way of its pods to the gateways of its cluster, and back",
  example: "meridian node --kubeconfig /etc/kubernetes/kubelet.conf --name worker-3",
  daemon: true,
  settings: [
    CONFIG,
    ...DAEMON,
    ...KUBE_SETTINGS,
    NAMESPACE_SETTING,
    { flag: "network", value: "FILE", help: "what a gateway keeps in DATA/network.json, where there is no API server" },
    { flag: "name", value: "NODE", help: "name of this node; default: the host's" },
    { flag: "http", value: "HOST:PORT", help: "metrics, health and status" },
  ],
  async run(call) {
    const { around } = call;
    const reader = new Reader(call.given);
    const log = daemonLog(reader, around);
    const options = await readNodeOptions(reader, around);
    if (options === null || reader.faults.length > 0) return refuse(around, reader.faults);
    return serveDaemon(options, { call, log }, async () => {
      const daemon = new NodeDaemon(options, { clock: around.clock, log, random: around.random });
      const status = { method: "GET", path: "/v1/status", handle: async () => ok(daemon.status()) } as const;
      return ok({ daemon, routes: [status], metrics: createNodeMetrics(daemon.readings()) });
    });
  },
};

async function readNodeOptions(reader: Reader, { env, hostname, version }: Surroundings): Promise<NodeOptions | null> {
  const dir = reader.one("data", dataDir, "/var/lib/meridian");
  const name = reader.one("name", parseNodeName, hostname.toLowerCase());
  const http = reader.one("http", listenAt);
  const file = reader.one("network", futureFile);
  // What a file says counts although a pod has a cluster of its own.
  const access = readKubeAccess(reader, reader.has("network") ? {} : env);
  if (file !== null && access !== null) reader.fault("network", "and --kubeconfig are both given: give one");
  await checkKubeAccess(reader, access);
  const namespace = readNamespace(reader);
  if (dir === null || name === null) return null;
  const common = { dataDir: dir, name, http, version };
  if (file !== null) return { ...common, from: { kind: "file", path: file } };
  if (access !== null) return { ...common, from: { kind: "cluster", access, namespace } };
  if (!reader.has("kubeconfig") && !reader.has("network")) {
    reader.faults.push("--kubeconfig is missing: outside of a pod, say which cluster, or give --network FILE");
  }
  return null;
}
