import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createStatusHttp } from "#admin";
import { type GatewayOptions, gatewayRoutes, openGateway } from "#gateway";
import { runAll } from "#life";
import { lockDataDir } from "#store";
import {
  cidrFamily,
  err,
  type HostPort,
  type Ip,
  ok,
  parseCidr,
  parseClusterId,
  parseHostPort,
  parseIp,
  parseNodeName,
  type Result,
} from "#values";
import { reasonOf } from "./broker-verb.ts";
import { daemonLog, path } from "./daemon-log.ts";
import { oneOf, port } from "./parsers.ts";
import { Reader } from "./reader.ts";
import { type Call, CONFIG, DAEMON, type ExitCode, fail, refuse, type Verb } from "./verb.ts";

/** gateway runs a gateway until a signal. */
export const gatewayVerb: Verb = {
  name: "gateway",
  summary: "run a gateway: tunnels, translation, exports, imports, names, probes",
  example:
    "meridian gateway --cluster amber --join-token-file token --pod-cidr 10.244.0.0/16 --service-cidr 10.96.0.0/16 --manifests /etc/meridian/manifests",
  settings: [
    CONFIG,
    ...DAEMON,
    { flag: "cluster", value: "ID", help: "id of this cluster: one DNS label" },
    { flag: "join-token", value: "TOKEN", help: "needed once (meridian invite)", secret: true },
    { flag: "join-token-file", value: "FILE", help: "the same, from a file" },
    { flag: "pod-cidr", value: "CIDR", help: "pod network of this cluster (repeatable)", repeat: true },
    { flag: "service-cidr", value: "CIDR", help: "service network of this cluster (repeatable)", repeat: true },
    { flag: "manifests", value: "DIR", help: "folder of Service, EndpointSlice and ServiceExport YAML" },
    { flag: "endpoint", value: "IP[:PORT]", help: "where other gateways send to; default: what the broker saw" },
    { flag: "listen-port", value: "PORT", help: "first of 8 UDP ports for the tunnels", fallback: "51820" },
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
    { flag: "globalnet", value: "on|off", help: "translate pod addresses into the supernet", fallback: "on" },
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
    const options = readOptions(reader, call);
    if (options === null || reader.faults.length > 0) return refuse(call.around, reader.faults);
    return serve(options, call, log);
  },
};

function readOptions(reader: Reader, { around }: Call): GatewayOptions | null {
  const dataDir = reader.one("data", path, "/var/lib/meridian") ?? "";
  const cluster = reader.need("cluster", parseClusterId, "--cluster ID, as amber");
  const podCidrs = reader.many("pod-cidr", parseCidr);
  if (!reader.has("pod-cidr")) reader.fault("--pod-cidr is missing: give the cluster's pod network, as 10.244.0.0/16");
  const serviceCidrs = reader.many("service-cidr", parseCidr);
  if (!reader.has("service-cidr"))
    reader.fault("--service-cidr is missing: give the cluster's service network, as 10.96.0.0/16");
  const globalCidrs = reader.many("global-cidr", parseCidr);
  if (globalCidrs.length > podCidrs.length) reader.fault("--global-cidr: more of them than of --pod-cidr");
  if (podCidrs.some((cidr) => cidrFamily(cidr) !== 4)) reader.fault("--pod-cidr: only IPv4 is translated today");
  const globalnet = reader.one("globalnet", oneOf("on", "off"), "on");
  if (globalnet === "off")
    reader.fault("--globalnet off: untranslated routing between members is not available in this version; leave it on");
  const dns = reader.many("dns", (text) => parseHostPort(text));
  const name = reader.one("name", parseNodeName, around.hostname.toLowerCase());
  if (cluster === null || name === null) return null;
  return {
    dataDir,
    cluster,
    joinToken: reader.secret("join-token"),
    podCidrs,
    serviceCidrs,
    globalCidrs,
    manifests: reader.one("manifests", path),
    endpoint: reader.one("endpoint", endpoint),
    listenPort: reader.one("listen-port", tunnelPort, "51820") ?? 51_820,
    dataPlane: reader.one("data-plane", oneOf("auto", "kernel", "userspace", "none"), "auto") ?? "auto",
    wireguardGo: reader.one("wireguard-go", path),
    dns: dns.length > 0 ? dns : defaultDns(),
    http: reader.one("http", (text) => parseHostPort(text)),
    name,
    identityFile: reader.one("identity", path) ?? join(dataDir, "identity.json"),
    path: around.env["PATH"] ?? "",
    version: around.version,
  };
}

function defaultDns(): readonly HostPort[] {
  const fallback = parseHostPort("127.0.0.1:5353");
  return fallback.ok ? [fallback.value] : [];
}

function tunnelPort(text: string): Result<number> {
  const first = port(text);
  return first.ok && first.value > 65_528
    ? err(`must leave room for 8 ports, so at most 65528: ${first.value}`)
    : first;
}

function endpoint(text: string): Result<{ host: Ip; port: number | null }> {
  const bare = parseIp(text);
  if (bare.ok) return ok({ host: bare.value, port: null });
  const full = parseHostPort(text);
  return full.ok ? full : err(`must be IP or IP:PORT: ${JSON.stringify(text)}`);
}

async function serve(
  options: GatewayOptions,
  { around, signal }: Call,
  log: ReturnType<typeof daemonLog>,
): Promise<ExitCode> {
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const lock = lockDataDir(options.dataDir);
  if (!lock.ok) return fail(around, lock.error);
  using _held = lock.value;
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  try {
    const opened = await openGateway(options, { clock: around.clock, log, random: around.random }, both);
    if (!opened.ok) return fail(around, opened.error);
    const daemon = opened.value;
    const ready = () => daemon.notReady();
    const { routes, metrics } = gatewayRoutes(daemon, () => stop.abort());
    const common = { routes, ready, metrics, clock: around.clock, log };
    const socket = createStatusHttp({ ...common, listen: { path: join(options.dataDir, "admin.sock") } });
    const http = options.http === null ? [] : [createStatusHttp({ ...common, listen: options.http })];
    await runAll([daemon, socket, ...http, announceReady(daemon, log, around)], both);
    return 0;
  } catch (error) {
    return fail(around, reasonOf(error));
  }
}

function announceReady(
  daemon: { notReady(): string | null },
  log: ReturnType<typeof daemonLog>,
  around: Call["around"],
) {
  return {
    name: "ready",
    async run(signal: AbortSignal) {
      for (let said = false; !signal.aborted; ) {
        if (!said && daemon.notReady() === null) {
          said = true;
          log.info("ready");
          around.notify("READY=1");
        }
        await around.clock.sleep(said ? 60_000 : 20, signal).catch(() => {});
      }
    },
  };
}
