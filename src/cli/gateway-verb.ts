import { join } from "node:path";
import { createStatusHttp } from "#admin";
import { type GatewayDaemon, type GatewayOptions, gatewayRoutes, openGateway } from "#gateway";
import { aborted, isAbort, type Log, type Room, runAll } from "#life";
import { lockDataDir } from "#store";
import { daemonLog } from "./daemon-log.ts";
import { GLOBALNET_HELP, readGatewayOptions } from "./gateway-options.ts";
import { checkKubeAccess, KUBE_SETTINGS } from "./kube-access.ts";
import { Reader } from "./reader.ts";
import { reasonOf } from "./reason-of.ts";
import { type Call, CONFIG_OR_SUBMARINER, DAEMON, type ExitCode, fail, refuse, type Verb } from "./verb.ts";

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
    {
      flag: "export-marker",
      value: "PROGRAM",
      help: "export Services that carry the mark of cilium or linkerd, as well (repeatable)",
      repeat: true,
    },
    {
      flag: "source-id",
      value: "TEXT",
      help: "what names the source of --manifests; the gateways of one cluster must be told the same",
    },
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
    return serve(options, call, log);
  },
};

async function serve(options: GatewayOptions, { around, signal }: Call, log: Log): Promise<ExitCode> {
  const lock = lockDataDir(options.dataDir);
  if (!lock.ok) return fail(around, lock.error);
  using _held = lock.value;
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  try {
    const opened = await openGateway(options, { clock: around.clock, log, random: around.random }, both);
    if (!opened.ok) return signal.aborted ? 0 : fail(around, opened.error);
    await runAll(
      roomsOf(opened.value, options, () => stop.abort(), { around, log }),
      both,
    );
    return 0;
  } catch (error) {
    if (signal.aborted && isAbort(error)) return 0; // stopped before it had begun
    return fail(around, place(reasonOf(error)));
  }
}

/** Where a daemon speaks. */
interface Voice {
  readonly around: Call["around"];
  readonly log: Log;
}

/** How often readiness is looked at, in milliseconds. */
const POLL_MS = 20;

/** The responder does not know by which flag it came to its addresses. */
function place(reason: string): string {
  return reason.startsWith("cannot listen on ") ? `--dns: ${reason}` : reason;
}

/** The daemon, and where it is asked: by the verbs in its folder, by people and Prometheus where --http says. */
function roomsOf(
  daemon: GatewayDaemon,
  { dataDir, http }: GatewayOptions,
  stop: () => void,
  { around, log }: Voice,
): readonly Room[] {
  const ready = () => daemon.notReady();
  const { routes, metrics } = gatewayRoutes(daemon, stop);
  const common = { routes, ready, metrics, clock: around.clock, log };
  const socket = createStatusHttp({ ...common, listen: { path: join(dataDir, "admin.sock") } });
  const doors = [socket, ...(http === null ? [] : [createStatusHttp({ ...common, listen: http })])];
  const open = Promise.all(doors.map(({ started }) => started)).then(() => undefined);
  return [daemon, ...doors, announceReady(daemon, open, { around, log })];
}

/** announceReady tells the log and the service manager, once: when the daemon serves and its doors are open, since
 *  whoever reads `ready` may call a verb at once. */
function announceReady(daemon: GatewayDaemon, open: Promise<void>, { around, log }: Voice): Room {
  return {
    name: "ready",
    async run(signal) {
      await Promise.race([open, aborted(signal)]);
      while (!signal.aborted && daemon.notReady() !== null) await around.clock.sleep(POLL_MS, signal).catch(() => {});
      if (signal.aborted) return;
      log.info("ready");
      around.notify("READY=1");
      await aborted(signal);
    },
  };
}
