import { join } from "node:path";
import { createStatusHttp } from "#admin";
import { type BrokerOptions, brokerRoutes, openBroker } from "#broker";
import { supernetFault } from "#ipam";
import { runAll } from "#life";
import {
  type Cidr,
  cidrFamily,
  err,
  formatHostPort,
  type HostPort,
  ok,
  parseCidr,
  parseHostPort,
  type Result,
} from "#values";
import { daemonLog, path } from "./daemon-log.ts";
import { duration, oneOf, url } from "./parsers.ts";
import { Reader } from "./reader.ts";
import { type Call, CONFIG, DAEMON, type ExitCode, fail, refuse, type Verb } from "./verb.ts";

/** broker runs the broker until a signal. */
export const brokerVerb: Verb = {
  name: "broker",
  summary: "run the broker: registry of clusters, allocation of addresses, log of signed records",
  example: "meridian broker --data /var/lib/meridian-broker --listen 0.0.0.0:7443 --advertise wss://192.0.2.1:7443",
  settings: [
    CONFIG,
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
    { flag: "store", value: "KIND", help: "sqlite", fallback: "sqlite" },
  ],
  async run(call) {
    const reader = new Reader(call.given);
    const log = daemonLog(reader, call.around);
    const options = readOptions(reader, call);
    if (options === null || reader.faults.length > 0) return refuse(call.around, reader.faults);
    return serve(options, call, log);
  },
};

function readOptions(reader: Reader, { around }: Call): BrokerOptions | null {
  const dataDir = reader.one("data", path, "/var/lib/meridian");
  const listen = reader.one("listen", (text) => parseHostPort(text), "0.0.0.0:7443");
  const http = reader.one("http", (text) => parseHostPort(text), "127.0.0.1:7480");
  const quarantineMs = reader.one("quarantine", duration, "24h");
  reader.one("store", oneOf("sqlite"), "sqlite");
  const given = reader.many("supernet", supernet);
  const supernets = given.length > 0 ? given : [parseCidr("242.0.0.0/8")].flatMap((c) => (c.ok ? [c.value] : []));
  if (new Set(supernets.map(cidrFamily)).size !== supernets.length)
    reader.fault("--supernet: one per address family at most");
  const advertise = reader.one("advertise", url("wss:")) ?? (listen === null ? null : ownUrl(listen));
  if (advertise === null && listen !== null && !reader.has("advertise")) {
    reader.fault(
      `--advertise is missing: --listen ${formatHostPort(listen)} is no address that gateways can dial; give wss://HOST:PORT`,
    );
  }
  if (dataDir === null || listen === null || http === null || quarantineMs === null || advertise === null) return null;
  return { dataDir, listen, advertise, http, supernets, quarantineMs, version: around.version };
}

function supernet(text: string): Result<Cidr> {
  const cidr = parseCidr(text);
  if (!cidr.ok) return cidr;
  const fault = supernetFault(cidr.value);
  return fault === undefined ? ok(cidr.value) : err(fault);
}

function ownUrl(listen: HostPort): string | null {
  return listen.host === "0.0.0.0" || listen.host === "::" ? null : `wss://${formatHostPort(listen)}`;
}

async function serve(
  options: BrokerOptions,
  { around, signal }: Call,
  log: ReturnType<typeof daemonLog>,
): Promise<ExitCode> {
  const broker = openBroker(options, around.clock, log);
  if (!broker.ok) return fail(around, broker.error);
  void broker.value.ready.then(() => {
    log.info("ready", {
      listen: formatHostPort(options.listen),
      advertise: options.advertise,
      http: options.http === null ? null : formatHostPort(options.http),
    });
    around.notify("READY=1");
  });
  try {
    const socket = createStatusHttp({
      listen: { path: join(options.dataDir, "admin.sock") },
      routes: brokerRoutes(broker.value),
      ready: () => null,
      metrics: async () => "",
      clock: around.clock,
      log,
    });
    await runAll([broker.value, socket], signal);
    return 0;
  } catch (error) {
    return fail(around, reasonOf(error));
  }
}

/** reasonOf is the first reason behind an error of several rooms: the others only followed it. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
