import { loadLive } from "#kube";
import { aborted, isAbort, type Log, type Room, runAll } from "#life";
import {
  createNameserver,
  type Nameserver,
  type NameserverOptions,
  type NameserverPlan,
  NO_DOORS,
  plainServer,
} from "#nameserver";
import type { HostPort, Ip } from "#values";
import type { ReadPlan } from "./corefile-reader.ts";
import { daemonLog } from "./daemon-log.ts";
import { checkKubeAccess, readKubeAccess } from "./kube-access.ts";
import { file, folder, listenAt } from "./parsers.ts";
import { Reader } from "./reader.ts";
import { reasonOf } from "./reason-of.ts";
import { type Call, type ExitCode, fail, refuse } from "./verb.ts";

const DEFAULT_LISTEN: HostPort = { host: "127.0.0.1" as Ip, port: 5353 };

/** What the settings ask for. */
interface Wanted {
  readonly from: NameserverOptions["from"];
  readonly http: HostPort | null;
  readonly plan: NameserverPlan;
  /** The Corefile that is followed, if any. */
  readonly corefile: { readonly file: string; readonly first: ReadPlan } | null;
}

/** serveDns runs the responder alone: nothing is kept on disk, and nobody is asked. */
export async function serveDns(call: Call): Promise<ExitCode> {
  const { around, signal } = call;
  const reader = new Reader(call.given);
  const wanted = await readWanted(reader, around.env);
  const log = daemonLog(reader, around, wanted?.corefile?.first.debug === true);
  if (wanted === null || reader.faults.length > 0) return refuse(around, reader.faults);
  const { clock, random, out, version } = around;
  const { from, http, plan } = wanted;
  const nameserver = createNameserver({ from, http, version, ...plan }, { clock, log, random, out });
  try {
    await runAll(
      [nameserver, announce(nameserver, log, call), ...(await followers(wanted, nameserver, log, call))],
      signal,
    );
    return 0;
  } catch (error) {
    return signal.aborted && isAbort(error) ? 0 : fail(around, place(reasonOf(error), wanted));
  }
}

/** announce tells the log and the service manager, once, when names are answered. */
function announce(nameserver: Nameserver, log: Log, { around }: Call): Room {
  return {
    name: "ready",
    async run(signal) {
      await Promise.race([nameserver.serving, aborted(signal)]);
      if (signal.aborted) return;
      log.info("ready");
      around.notify("READY=1");
      await aborted(signal);
    },
  };
}

async function followers(
  { corefile }: Wanted,
  nameserver: Nameserver,
  log: Log,
  { around }: Call,
): Promise<readonly Room[]> {
  if (corefile === null) return [];
  const { followCorefile } = await import("./follow-corefile.ts");
  const { env, clock, random } = around;
  const onReload = (listener: () => void): void => around.onReload(listener);
  return [followCorefile({ ...corefile, env, nameserver, clock, random, log, onReload })];
}

async function readWanted(reader: Reader, env: Call["around"]["env"]): Promise<Wanted | null> {
  const from = await readFrom(reader, env);
  const conf = reader.one("conf", file);
  const given = reader.many("dns", listenAt);
  const http = reader.one("http", listenAt);
  if (conf !== null && given.length > 0) {
    reader.fault("dns", "the Corefile of --conf says where names are answered: leave one of the two out");
  }
  if (from === null) return null;
  if (conf === null) {
    const listen = given.length === 0 ? [DEFAULT_LISTEN] : given;
    return { from, http, corefile: null, plan: { servers: [plainServer(listen)], doors: NO_DOORS, hash: null } };
  }
  const { readPlan } = await import("./corefile-reader.ts");
  const read = readPlan(conf, env);
  if (!read.ok) reader.faults.push(...read.error);
  return read.ok ? { from, http, plan: read.value.plan, corefile: { file: conf, first: read.value } } : null;
}

async function readFrom(reader: Reader, env: Call["around"]["env"]): Promise<Wanted["from"] | null> {
  const access = readKubeAccess(reader, env);
  await checkKubeAccess(reader, access);
  if (access !== null) return { kind: "cluster", access, live: await loadLive() };
  if (reader.has("kubeconfig")) return null; // it was wrong
  const dir = reader.need("manifests", folder, "the folder to serve, as --manifests /etc/meridian/imports");
  return dir === null ? null : { kind: "folder", dir };
}

/** The responder does not know by what it came to its addresses. */
function place(reason: string, { corefile }: Wanted): string {
  return reason.startsWith("cannot listen on ") ? `${corefile === null ? "--dns" : "--conf"}: ${reason}` : reason;
}
