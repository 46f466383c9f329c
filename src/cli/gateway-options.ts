import { join } from "node:path";
import type { GatewayOptions } from "#gateway";
import { parseToken, readIdentity } from "#identity";
import { CLUSTERSET_IPS, EXPORT_MARKERS, type ExportMarker, NODE_WAYS } from "#kube";
import type { Secret } from "#life";
import {
  type Cidr,
  type ClusterId,
  cidrFamily,
  cidrParts,
  err,
  expect,
  formatHostPort,
  type HostPort,
  type NodeName,
  ok,
  overlaps,
  parseCidr,
  parseClusterId,
  parseHostPort,
  parseNodeName,
  type Result,
} from "#values";
import { readKubeAccess, readNamespace } from "./kube-access.ts";
import { dataDir, endpoint, folder, listenAt, oneOf, path, port, program } from "./parsers.ts";
import type { Reader } from "./reader.ts";
import type { Surroundings } from "./verb.ts";

export type Networks = Pick<GatewayOptions, "podCidrs" | "serviceCidrs" | "globalCidrs">;

/** readGatewayOptions reads every setting of a gateway. Each value that is wrong becomes a fault of the reader; null
 *  where there is nothing to go on with. Nothing is made or changed. */
export function readGatewayOptions(reader: Reader, around: Surroundings): GatewayOptions | null {
  const dir = reader.one("data", dataDir, "/var/lib/meridian");
  const cluster = reader.need("cluster", parseClusterId, "the id of this cluster, as --cluster amber");
  const name = reader.one("name", parseNodeName, around.hostname.toLowerCase());
  const kubernetes = readKubeAccess(reader, around.env);
  const networks = readNetworks(reader, kubernetes !== null);
  const identityFile = reader.one("identity", path) ?? (dir === null ? null : join(dir, "identity.json"));
  const rest = {
    manifests: reader.one("manifests", folder),
    kubernetes,
    namespace: readNamespace(reader),
    nodeWay: reader.one("node-way", oneOf(...NODE_WAYS), "auto") ?? "auto",
    exportMarkers: reader.many("export-marker", exportMarker),
    clustersetIp: reader.one("clusterset-ip", oneOf(...CLUSTERSET_IPS), "derived") ?? "derived",
    source: reader.one("source-id", sourceId),
    endpoint: reader.one("endpoint", endpoint),
    listenPort: reader.one("listen-port", tunnelPort, "51820") ?? 0,
    dataPlane: reader.one("data-plane", oneOf("auto", "kernel", "userspace", "none"), "auto") ?? "auto",
    wireguardGo: reader.one("wireguard-go", program),
    dns: readDns(reader),
    http: reader.one("http", listenAt),
    globalnet: readGlobalnet(reader),
  };
  const joinToken = identityFile === null ? null : readMembership(reader, identityFile, { cluster, name });
  if (dir === null || cluster === null || name === null || identityFile === null) return null;
  const process = { path: around.env["PATH"] ?? "", version: around.version };
  return { dataDir: dir, cluster, name, identityFile, joinToken, ...networks, ...rest, ...process };
}

export const GLOBALNET_HELP =
  "off: pods keep their addresses towards members that say the same, where no networks overlap";

/** readGlobalnet reads whether pods have global addresses for everybody; without, those who want it too need none. */
export function readGlobalnet(reader: Reader): boolean {
  return reader.one("globalnet", oneOf("on", "off"), "on") !== "off";
}

/** exportMarker reads whose marks export a Service. */
export function exportMarker(text: string): Result<ExportMarker> {
  // Its agent (lighthouse, pkg/agent/controller/agent.go) exports what has a ServiceExport: no mark of a Service counts.
  return text === "submariner"
    ? err("submariner marks no Services: its exports are ServiceExports, which are exported without it; leave it out")
    : oneOf(...EXPORT_MARKERS)(text);
}

/** readNetworks reads the networks of a cluster. A live cluster can be asked for what is not given. */
export function readNetworks(reader: Reader, live: boolean): Networks {
  const before = reader.faults.length;
  const podCidrs = reader.many("pod-cidr", podCidr);
  const podsRead = reader.faults.length === before;
  if (!live && reader.missing("pod-cidr"))
    reader.faults.push("--pod-cidr is missing: give the cluster's pod network, as --pod-cidr 10.244.0.0/16");
  const serviceCidrs = reader.many("service-cidr", parseCidr);
  if (!live && reader.missing("service-cidr"))
    reader.faults.push("--service-cidr is missing: give the cluster's service network, as --service-cidr 10.96.0.0/16");
  const networks = { podCidrs, serviceCidrs, globalCidrs: reader.many("global-cidr", parseCidr) };
  disjoint(reader, networks);
  if (podsRead) globalFits(reader, networks); // else it is not known which stands for which
  return networks;
}

function podCidr(text: string): Result<Cidr> {
  const cidr = parseCidr(text);
  return cidr.ok && cidrFamily(cidr.value) !== 4 ? err(`only IPv4 is translated in this version: ${text}`) : cidr;
}

/** No address of a cluster is a pod and a Service, too, or a pod twice. */
function disjoint(reader: Reader, { podCidrs, serviceCidrs }: Networks): void {
  const all = [
    ...podCidrs.map((cidr) => ({ cidr, flag: "pod-cidr" })),
    ...serviceCidrs.map((cidr) => ({ cidr, flag: "service-cidr" })),
  ];
  for (const [at, { cidr, flag }] of all.entries()) {
    const other = all.slice(0, at).find((earlier) => overlaps(earlier.cidr, cidr));
    if (other !== undefined) reader.fault(flag, `${cidr} overlaps ${reader.placeOf(other.flag)} ${other.cidr}`);
  }
}

/** A pod's address keeps its host bits, so the prefix by hand is as long as the network that it stands for. */
function globalFits(reader: Reader, { podCidrs, globalCidrs }: Networks): void {
  for (const [at, global] of globalCidrs.entries()) {
    const pods = podCidrs[at];
    if (pods === undefined) {
      const extra = `${global} stands for no --pod-cidr: give one of each, in the same order`;
      if (!reader.missing("pod-cidr")) reader.fault("global-cidr", extra);
    } else if (cidrParts(global).length !== cidrParts(pods).length || cidrFamily(global) !== cidrFamily(pods)) {
      const fit = `${global} stands for ${pods} and must be as long: give one with /${cidrParts(pods).length}`;
      reader.fault("global-cidr", fit);
    }
  }
}

function sourceId(text: string): Result<string> {
  return /^[\w.:/@-]{1,200}$/.test(text)
    ? ok(text)
    : err(`must be 1 to 200 letters, digits or . : / @ _ -: ${JSON.stringify(text.slice(0, 80))}`);
}

/** tunnelPort reads the first of eight UDP ports. */
export function tunnelPort(text: string): Result<number> {
  const first = port(text);
  return first.ok && first.value > 65_528
    ? err(`must leave room for 8 ports, so at most 65528: ${first.value}`)
    : first;
}

function readDns(reader: Reader): readonly HostPort[] {
  const dns = reader.many("dns", listenAt);
  const texts = dns.filter(({ port: at }) => at !== 0).map(formatHostPort);
  const twice = texts.find((text, at) => texts.indexOf(text) !== at);
  if (twice !== undefined) reader.fault("dns", `${twice} is given twice: give it once`);
  return reader.has("dns") ? dns : [expect(parseHostPort("127.0.0.1:5353"))];
}

/** readMembership checks that this host is the member it is to be, or has what it takes to join: where there is an
 *  identity the token is not needed, whatever is left of it, but for a membership that has ended. */
function readMembership(
  reader: Reader,
  identityFile: string,
  { cluster, name }: { readonly cluster: ClusterId | null; readonly name: NodeName | null },
): Secret | null {
  const identity = readIdentity(identityFile);
  if (!identity.ok && identity.error.code !== "missing") {
    reader.faults.push(`${reader.placeOf("identity")}: ${identity.error.message}`);
    return null;
  }
  if (!identity.ok) return readJoinToken(reader, identityFile);
  const { cluster: its, gateway } = identity.value;
  if (cluster !== null && its !== cluster)
    reader.fault("cluster", `${cluster}, but ${identityFile} is of cluster ${its}: give that, or another --data`);
  if (name !== null && gateway !== null && gateway !== name) {
    const remedy = `give --name ${gateway}, or another gateway its own --data and the shared --identity`;
    reader.fault("name", `${name}, but ${identityFile} serves only the gateway ${gateway}: ${remedy}`);
  }
  // Used only if that membership has ended; what is left of an old one is no fault.
  return reader.spare("join-token");
}

const TOKEN_REMEDY = "give --join-token-file FILE with what `meridian invite` printed";

function readJoinToken(reader: Reader, identityFile: string): Secret | null {
  if (reader.missing("join-token") && reader.missing("join-token-file")) {
    reader.faults.push(
      `--join-token is missing: ${identityFile} is not there, so this host is no member yet; ${TOKEN_REMEDY}`,
    );
    return null;
  }
  return readToken(reader);
}

/** readToken reads --join-token or its file. */
export function readToken(reader: Reader): Secret | null {
  const secret = reader.secret("join-token");
  const token = secret === null ? null : parseToken(secret.reveal());
  if (token?.ok === false) {
    const flag = reader.has("join-token") ? "join-token" : "join-token-file";
    reader.fault(flag, `${token.error}; ${TOKEN_REMEDY}`);
  }
  return secret;
}
