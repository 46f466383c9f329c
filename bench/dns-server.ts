import { readFileSync } from "node:fs";
import { createResponder, type UdpMode } from "#dns";
import { silentLog, systemClock, Troubles } from "#life";
import { expect, parseIp } from "#values";
import { ORIGIN, TTL, zoneService } from "./dns-workload.ts";

/** DnsServerAsk is what our responder is to serve. It is read from a file: `dns-server.ts ASK.json`. */
export interface DnsServerAsk {
  readonly port: number;
  readonly services: number;
  readonly mode: UdpMode;
  /** Changes a second of services in turn, from SIGUSR1 on until the next; 0: none. */
  readonly changesPerSecond: number;
}

// Runs our responder alone, with its counters on, as a program of its own to be measured; prints `ready` when it answers
// all it was asked to.
if (import.meta.main) {
  const ask = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as DnsServerAsk;
  const host = expect(parseIp("127.0.0.1"));
  const responder = createResponder({
    listen: [{ host, port: ask.port }],
    zone: { origin: ORIGIN, ttl: TTL, serverAddresses: [host] },
    mode: ask.mode,
    ...{ log: silentLog, clock: systemClock, troubles: new Troubles() },
  });
  responder.update(
    Array.from({ length: ask.services }, (_, i) => ({ kind: "service", service: zoneService(i) }) as const),
  );
  responder.update([{ kind: "synced", synced: true }]);
  void responder.run(new AbortController().signal);
  const started = await responder.started;
  if (!started.ok) throw new Error(started.error);
  await responder.applied();
  process.stdout.write("ready\n");
}
