import { stringify } from "yaml";
import { CLUSTERSET_IPS, type Live, loadLive } from "#kube";
import { type ClusterId, cidrFamily, err, ok, parseClusterId, parseNodeName, type Result } from "#values";
import { identify } from "./cluster-identity.ts";
import {
  exportMarker,
  GLOBALNET_HELP,
  type Networks,
  readGlobalnet,
  readNetworks,
  readToken,
  tunnelPort,
} from "./gateway-options.ts";
import { checkKubeAccess, KUBE_SETTINGS, needAdmin, readKubeAccess } from "./kube-access.ts";
import { oneOf, span } from "./parsers.ts";
import { Reader } from "./reader.ts";
import { safeText } from "./safe-text.ts";
import { type Call, CONFIG_OR_SUBMARINER, type ExitCode, fail, refuse, type Verb } from "./verb.ts";

/** install does all that a cluster needs, by its API server. */
export const installVerb: Verb = {
  name: "install",
  summary: "install gateways in a Kubernetes cluster, join it, and have its DNS know the clusterset",
  example:
    "meridian install --kubeconfig amber.yaml --cluster amber --join-token-file token --image registry.example.com/meridian:0.1.0",
  submariner: "Submariner",
  settings: [
    CONFIG_OR_SUBMARINER,
    ...KUBE_SETTINGS,
    { flag: "cluster", value: "ID", help: "id of this cluster: one DNS label" },
    { flag: "join-token", value: "TOKEN", help: "needed once (meridian invite)", secret: true },
    { flag: "join-token-file", value: "FILE", help: "the same, from a file" },
    { flag: "image", value: "REF", help: "image of the program", fallback: "meridian:dev" },
    { flag: "namespace", value: "NAME", help: "namespace of everything that has one", fallback: "meridian" },
    {
      flag: "gateway-node",
      value: "NAME",
      help: "node that is a gateway, and no others (repeatable); default: two that are ready",
      repeat: true,
    },
    {
      flag: "dns-integration",
      value: "MODE",
      help: "coredns: it forwards clusterset.local; none",
      fallback: "coredns",
    },
    {
      flag: "pod-cidr",
      value: "CIDR",
      help: "pod network, where the cluster does not say it (repeatable)",
      repeat: true,
    },
    {
      flag: "service-cidr",
      value: "CIDR",
      help: "service network, where the cluster does not say it (repeatable)",
      repeat: true,
    },
    {
      flag: "global-cidr",
      value: "CIDR",
      help: "global prefix by hand, one per pod network in the same order (repeatable)",
      repeat: true,
    },
    { flag: "globalnet", value: "on|off", help: GLOBALNET_HELP, fallback: "on" },
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
    { flag: "listen-port", value: "PORT", help: "first of 8 UDP ports for the tunnels", fallback: "51820" },
    { flag: "timeout", value: "SPAN", help: "how long the gateways may take", fallback: "3m" },
    { flag: "identity-only", value: null, help: "join and keep the identity in the cluster; Helm installs the rest" },
    { flag: "dry-run", value: null, help: "print the manifests and change nothing" },
    { flag: "output", value: "FORMAT", help: "of --dry-run: yaml or json (short: -o)", fallback: "yaml" },
  ],
  async run(call) {
    const { around } = call;
    const reader = new Reader(call.given);
    const ask = readAsk(reader);
    const dryRun = reader.on("dry-run");
    const identityOnly = reader.on("identity-only");
    const access = dryRun ? readKubeAccess(reader, {}) : needAdmin(reader);
    const format = reader.one("output", oneOf("yaml", "json"), "yaml") ?? "yaml";
    const token = reader.has("join-token") || reader.has("join-token-file") ? readToken(reader) : null;
    await checkKubeAccess(reader, access);
    if (ask === null || reader.faults.length > 0) return refuse(around, reader.faults);
    for (const notice of reader.notices) around.err(`meridian: ${safeText(notice)}\n`);
    const live = await loadLive();
    const planned = identityOnly ? live.renderedHome(ask.namespace) : live.rendered(ask, live.crds());
    if (dryRun) return print(call, planned, format);
    if (access === null) return 2;
    const api = new live.ApiServer(access, around.clock, around.version);
    try {
      const facts = await factsOf(live, api, ask, call.signal);
      if (!facts.ok) return fail(around, facts.error);
      const say = (line: string): void => around.err(`${line}\n`);
      const joining = { cluster: ask.cluster, token, ...facts.value };
      const deps = {
        api,
        clock: around.clock,
        say,
        identify: (store: Store) => identify(store, joining, around, call.signal),
      };
      const done = await (identityOnly ? live.installIdentity : live.install)(ask, deps, call.signal);
      if (!done.ok) return fail(around, done.error);
      around.out(`${ask.cluster} ${identityOnly ? "has its identity" : "is installed"}\n`);
      return 0;
    } finally {
      api.close();
    }
  },
};

type Store = Parameters<Parameters<Live["install"]>[1]["identify"]>[0];

interface Ask extends Readonly<Parameters<Live["install"]>[0]>, Networks {
  readonly globalnet: boolean;
  readonly cluster: ClusterId;
}

function readAsk(reader: Reader): Ask | null {
  const cluster = reader.need("cluster", parseClusterId, "the id of this cluster, as --cluster amber");
  const networks = readNetworks(reader, true);
  const { podCidrs: podCidr, serviceCidrs: serviceCidr, globalCidrs: globalCidr } = networks;
  const marker = reader.many("export-marker", exportMarker);
  const listenPort = reader.one("listen-port", tunnelPort);
  const globalnet = readGlobalnet(reader);
  const clustersetIp = reader.one("clusterset-ip", oneOf(...CLUSTERSET_IPS));
  const rest = {
    namespace: reader.one("namespace", parseClusterId, "meridian") ?? "",
    image: reader.one("image", imageName, "meridian:dev") ?? "",
    gatewayNodes: reader.many("gateway-node", parseNodeName),
    dns: reader.one("dns-integration", oneOf("coredns", "none"), "coredns") ?? "none",
    timeoutMs: reader.one("timeout", span("10s", "1h"), "3m") ?? 0,
  };
  if (cluster === null) return null;
  const gateway = {
    cluster,
    ...withoutEmpty({ podCidr, serviceCidr, globalCidr, exportMarker: marker }),
    ...(clustersetIp === null ? {} : { clustersetIp }),
    ...(listenPort === null ? {} : { listenPort }),
    ...(globalnet ? {} : { globalnet: "off" }),
  };
  return { ...rest, cluster, ...networks, globalnet, gateway };
}

/** What is not said is for each gateway to find. */
function withoutEmpty(lists: Readonly<Record<string, readonly string[]>>): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(Object.entries(lists).filter(([, values]) => values.length > 0));
}

/** What the broker is told at the join, so that an overlap is refused before anything runs. */
async function factsOf(live: Live, api: InstanceType<Live["ApiServer"]>, ask: Ask, signal: AbortSignal) {
  const source = await live.clusterUid(api, signal);
  if (!source.ok) return err(`the API server does not say which cluster it is: ${source.error}`);
  const pods = ask.podCidrs.length > 0 ? ok({ cidrs: ask.podCidrs }) : await live.discoverPods(api, signal);
  if (!pods.ok) return pods;
  const services =
    ask.serviceCidrs.length > 0 ? ok({ cidrs: ask.serviceCidrs }) : await live.discoverServices(api, signal);
  if (!services.ok) return services;
  const network = {
    globalnet: ask.globalnet,
    pods: pods.value.cidrs
      .filter((cidr) => cidrFamily(cidr) === 4)
      .map((cidr, at) => ({ cidr, wanted: ask.globalCidrs[at] ?? null })),
    services: [...services.value.cidrs],
    routes: [],
  };
  return ok({ source: source.value, network });
}

function print({ around }: Call, objects: readonly object[], format: "yaml" | "json"): ExitCode {
  const list = { apiVersion: "v1", kind: "List", items: objects };
  around.out(
    format === "json"
      ? `${JSON.stringify(list)}\n`
      : objects.map((one) => stringify(one, { lineWidth: 0 })).join("---\n"),
  );
  return 0;
}

/** imageName reads the name of an image, as container runtimes take it; they judge the details. */
export function imageName(text: string): Result<string> {
  const good = /^[a-z0-9][a-zA-Z0-9._:/@-]{0,254}$/.test(text);
  return good ? ok(text) : err(`must be the name of an image, as meridian:0.1.0: ${JSON.stringify(text.slice(0, 80))}`);
}
