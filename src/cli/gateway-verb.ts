import { gatewayRoutes, openGateway } from "#gateway";
import { ok } from "#values";
import { daemonLog } from "./daemon-log.ts";
import { GLOBALNET_HELP, readGatewayOptions } from "./gateway-options.ts";
import { checkKubeAccess, KUBE_SETTINGS, NAMESPACE_SETTING } from "./kube-access.ts";
import { Reader } from "./reader.ts";
import { serveDaemon } from "./serve-daemon.ts";
import { CONFIG_OR_SUBMARINER, DAEMON, refuse, type Verb } from "./verb.ts";

/** gateway runs a gateway until a signal. */
export const gatewayVerb: Verb = {
  name: "gateway",
  summary: "run a gateway: tunnels, translation, exports, imports, names, probes",
  example:
    "meridian gateway --cluster amber --join-token-file token --pod-cidr 10.244.0.0/16 --service-cidr 10.96.0.0/16 --manifests /etc/meridian/manifests",
  daemon: true,
  submariner: "Submariner",
  settings: [
    CONFIG_OR_SUBMARINER,
    ...DAEMON,
    { flag: "cluster", value: "ID", help: "id of this cluster: one DNS label" },
    { flag: "join-token", value: "TOKEN", help: "needed once (meridian invite)", secret: true },
    { flag: "join-token-file", value: "FILE", help: "the same, from a file" },
    { flag: "pod-cidr", value: "CIDR", help: "pod network of this cluster (repeatable)", repeat: true },
    { flag: "service-cidr", value: "CIDR", help: "service network of this cluster (repeatable)", repeat: true },
    { flag: "manifests", value: "DIR", help: "folder of Service, EndpointSlice and ServiceExport YAML" },
    ...KUBE_SETTINGS,
    NAMESPACE_SETTING,
    {
      flag: "export-marker",
      value: "PROGRAM",
      help: "export Services that carry the mark of cilium or linkerd, as well (repeatable)",
      repeat: true,
    },
    {
      flag: "clusterset-ip",
      value: "derived|global",
      help: "address of imports in a live cluster: of a derived Service, or the service address",
      fallback: "derived",
    },
    {
      flag: "source-id",
      value: "TEXT",
      help: "what names the source of --manifests; the gateways of one cluster must be told the same",
    },
    { flag: "endpoint", value: "IP[:PORT]", help: "where other gateways send to; default: what the broker saw" },
    { flag: "listen-port", value: "PORT", help: "first of 8 UDP ports for the tunnels", fallback: "51820" },
    {
      flag: "node-way",
      value: "WAY",
      help: "between gateways and the cluster's other nodes: auto (direct on one link, else VXLAN) or vxlan",
      fallback: "auto",
    },
    { flag: "data-plane", value: "MODE", help: "auto, kernel, userspace or none", fallback: "auto" },
    { flag: "wireguard-go", value: "PATH", help: "user-space WireGuard to run where the kernel has none" },
    {
      flag: "dns",
      value: "HOST:PORT",
      help: "where names are answered (repeatable)",
      repeat: true,
      fallback: "127.0.0.1:5353",
    },
    { flag: "http", value: "HOST:PORT", help: "metrics, health and status" },
    { flag: "globalnet", value: "on|off", help: GLOBALNET_HELP, fallback: "on" },
    {
      flag: "global-cidr",
      value: "CIDR",
      help: "global prefix by hand, one per --pod-cidr in the same order (repeatable)",
      repeat: true,
    },
    { flag: "name", value: "NODE", help: "name of this gateway; default: the host's" },
    { flag: "identity", value: "FILE", help: "identity of the member; default: DATA/identity.json" },
  ],
  async run(call) {
    const reader = new Reader(call.given);
    const log = daemonLog(reader, call.around);
    const options = readGatewayOptions(reader, call.around);
    await checkKubeAccess(reader, options?.kubernetes ?? null);
    if (options === null || reader.faults.length > 0) return refuse(call.around, reader.faults);
    for (const notice of reader.notices) log.warn(notice);
    const deps = { clock: call.around.clock, log, random: call.around.random };
    return serveDaemon(options, { call, log }, async ({ signal, stop }) => {
      const opened = await openGateway(options, deps, signal);
      return opened.ok ? ok({ daemon: opened.value, ...gatewayRoutes(opened.value, stop) }) : opened;
    });
  },
};
