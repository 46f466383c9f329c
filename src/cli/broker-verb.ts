import { join } from "node:path";
import { createStatusHttp } from "#admin";
import { type BrokerOptions, brokerRoutes, openBroker } from "#broker";
import { parseBrokerUrl } from "#identity";
import { supernetFault } from "#ipam";
import { type Log, runAll } from "#life";
import { type Cidr, cidrFamily, err, expect, formatHostPort, type HostPort, ok, parseCidr, type Result } from "#values";
import { backupVerb, restoreVerb } from "./backup-verbs.ts";
import { daemonLog } from "./daemon-log.ts";
import { dataDir, listenAt, oneOf, span } from "./parsers.ts";
import { Reader } from "./reader.ts";
import { reasonOf } from "./reason-of.ts";
import { type Call, CONFIG_OR_SUBMARINER, DAEMON, type ExitCode, fail, refuse, type Verb } from "./verb.ts";

/** broker runs the broker until a signal. */
export const brokerVerb: Verb = {
  name: "broker",
  summary: "run the broker: registry of clusters, allocation of addresses, log of signed records",
  example: "meridian broker --data /var/lib/meridian-broker --listen 0.0.0.0:7443 --advertise wss://192.0.2.1:7443",
  daemon: true,
  submariner: "Broker",
  verbs: [backupVerb, restoreVerb],
  settings: [
    CONFIG_OR_SUBMARINER,
    ...DAEMON,
    { flag: "listen", value: "HOST:PORT", help: "where gateways dial in", fallback: "0.0.0.0:7443" },
    {
      flag: "advertise",
      value: "URL",
      help: "wss://HOST:PORT that join tokens carry; needed when --listen is a wildcard",
    },
    { flag: "http", value: "HOST:PORT", help: "admin API, metrics and health", fallback: "127.0.0.1:7480" },
    {
      flag: "supernet",
      value: "CIDR",
      help: "global addresses, one per family; fixed by the first start (repeatable)",
      repeat: true,
      fallback: "242.0.0.0/8",
    },
    { flag: "quarantine", value: "SPAN", help: "how long a released prefix rests", fallback: "24h" },
    {
      flag: "accept-loss",
      value: null,
      help: "after a restore: wait for no member any more; what was granted after the backup may be granted again",
    },
    { flag: "store", value: "KIND", help: "sqlite", fallback: "sqlite" },
  ],
  async run(call) {
    const reader = new Reader(call.given);
    const log = daemonLog(reader, call.around);
    const options = readOptions(reader, call);
    if (options === null || reader.faults.length > 0) return refuse(call.around, reader.faults);
    for (const notice of reader.notices) log.warn(notice);
    return serve(options, call, log);
  },
};

/** Each value that is wrong becomes a fault of the reader; null where there is nothing to go on with. */
function readOptions(reader: Reader, { around }: Call): BrokerOptions | null {
  const dir = reader.one("data", dataDir, "/var/lib/meridian");
  const listen = reader.one("listen", listenAt, "0.0.0.0:7443");
  const http = reader.one("http", listenAt, "127.0.0.1:7480");
  const quarantineMs = reader.one("quarantine", span("0", "3650d"), "24h");
  reader.one("store", oneOf("sqlite"), "sqlite");
  const supernets = readSupernets(reader);
  const advertise = readAdvertise(reader, listen);
  const acceptLoss = reader.on("accept-loss");
  if (dir === null || listen === null || http === null || quarantineMs === null || advertise === null) return null;
  return { dataDir: dir, listen, advertise, http, supernets, quarantineMs, acceptLoss, version: around.version };
}

function readSupernets(reader: Reader): readonly Cidr[] {
  const given = reader.many("supernet", supernet);
  if (new Set(given.map(cidrFamily)).size !== given.length)
    reader.fault("supernet", `one per address family at most: ${given.join(", ")}`);
  return reader.has("supernet") ? given : [expect(parseCidr("242.0.0.0/8"))];
}

function supernet(text: string): Result<Cidr> {
  const cidr = parseCidr(text);
  if (!cidr.ok) return cidr;
  const fault = supernetFault(cidr.value);
  return fault === undefined ? ok(cidr.value) : err(fault);
}

/** Where --listen is an address and a port, that is what gateways dial. */
function readAdvertise(reader: Reader, listen: HostPort | null): string | null {
  if (!reader.missing("advertise")) return reader.one("advertise", parseBrokerUrl);
  if (listen === null) return null;
  const { host, port } = listen;
  if (host !== "0.0.0.0" && host !== "::" && port !== 0) return `wss://${formatHostPort(listen)}`;
  const why = port === 0 ? "names no port" : "is no address";
  reader.faults.push(
    `--advertise is missing: --listen ${formatHostPort(listen)} ${why} that gateways can dial; give --advertise wss://HOST:PORT`,
  );
  return null;
}

async function serve(options: BrokerOptions, { around, signal }: Call, log: Log): Promise<ExitCode> {
  const broker = openBroker(options, around.clock, log);
  // A fault that begins with a flag is one of the call: the store was made with another value.
  if (!broker.ok) return broker.error.startsWith("--") ? refuse(around, [broker.error]) : fail(around, broker.error);
  const socket = createStatusHttp({
    listen: { path: join(options.dataDir, "admin.sock") },
    routes: brokerRoutes(broker.value),
    ready: () => null,
    metrics: async () => "",
    clock: around.clock,
    log,
  });
  // Whoever reads `ready` may call a verb at once: the socket counts, too.
  void Promise.all([broker.value.ready, socket.started]).then(() => {
    const { listen, advertise, http } = options;
    const place = http === null ? null : formatHostPort(http);
    log.info("ready", { listen: formatHostPort(listen), advertise, http: place });
    around.notify("READY=1");
  });
  try {
    await runAll([broker.value, socket], signal);
    return 0;
  } catch (error) {
    return fail(around, reasonOf(error));
  }
}
