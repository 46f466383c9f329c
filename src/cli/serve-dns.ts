import { aborted, isAbort, type Room, runAll } from "#life";
import { createNameserver, type NameserverOptions } from "#nameserver";
import type { HostPort } from "#values";
import { daemonLog } from "./daemon-log.ts";
import { folder, listenAt } from "./parsers.ts";
import { Reader } from "./reader.ts";
import { reasonOf } from "./reason-of.ts";
import { type Call, type ExitCode, fail, refuse } from "./verb.ts";

const DEFAULT_LISTEN: HostPort = { host: "127.0.0.1" as HostPort["host"], port: 5353 };

/** serveDns runs the responder alone: nothing is kept on disk, and nobody is asked. */
export async function serveDns(call: Call): Promise<ExitCode> {
  const { around, signal } = call;
  const reader = new Reader(call.given);
  const log = daemonLog(reader, around);
  const options = readOptions(reader);
  if (options === null || reader.faults.length > 0) return refuse(around, reader.faults);
  const { clock, random } = around;
  const nameserver = createNameserver(options, { clock, log, random });
  const ready: Room = {
    name: "ready",
    async run(stop) {
      await Promise.race([nameserver.serving, aborted(stop)]);
      if (stop.aborted) return;
      log.info("ready");
      around.notify("READY=1");
      await aborted(stop);
    },
  };
  try {
    await runAll([nameserver, ready], signal);
    return 0;
  } catch (error) {
    return signal.aborted && isAbort(error) ? 0 : fail(around, reasonOf(error));
  }
}

function readOptions(reader: Reader): NameserverOptions | null {
  const manifests = reader.need("manifests", folder, "the folder to serve, as --manifests /etc/meridian/imports");
  const given = reader.many("dns", listenAt);
  const listen = given.length === 0 ? [DEFAULT_LISTEN] : given;
  return manifests === null ? null : { manifests, servers: [{ listen, origin: "clusterset.local", ttl: 5 }] };
}
