import { systemClock } from "#life";
import { type HostPort, millis } from "#values";
import { ip } from "../../src/dns/example-services.ts";
import { exchangeTcp, exchangeUdp } from "../../src/dns/exchange.ts";
import type { ResponderOptions } from "../../src/dns/index.ts";
import { live } from "../../src/dns/live.ts";
import { type Asked, asked, type MessageOptions, message, ZONE } from "../../src/dns/testbed.ts";
import type { ZoneChange, ZoneOptions, ZoneService } from "../../src/dns/zone.ts";

/** ENGINES is how UDP can be served; TCP is the same program in both. */
export const ENGINES = ["ffi", "dgram"] as const;
export type Engine = (typeof ENGINES)[number];

/** The zone that rows speak of, its SOA, and the serial that a clock standing still gives it. */
export const Z = "clusterset.local";
export const SERIAL = 1_700_000_000;
export const SOA = `${Z} 5 SOA ns.dns.${Z} hostmaster.${Z} ${SERIAL} 7200 1800 86400 5`;

/** ServerOptions is what a row needs beyond services. */
export interface ServerOptions {
  readonly zone?: Partial<ZoneOptions>;
  readonly changes?: readonly ZoneChange[];
  /** Whether absence is known; yes unless said. */
  readonly synced?: boolean;
  readonly responder?: Partial<ResponderOptions>;
}

/** Both is one answer that UDP and TCP agree on. `cut` tells whether UDP had to cut it; then it is TCP's. */
export interface Both extends Asked {
  readonly cut: boolean;
}

/** Server is a responder on loopback, and a client that asks it by UDP and by TCP. */
export interface Server extends AsyncDisposable {
  readonly at: HostPort;
  ask(name: string, type: string | number, options?: MessageOptions): Promise<Both>;
  /** update changes the zone and waits until every listener answers with it. */
  update(changes: readonly ZoneChange[]): Promise<void>;
  readonly troubles: () => readonly string[];
  readonly skippedNames: () => number;
}

const TIMEOUT_MS = 5000;

/** serve starts a responder with one UDP engine and waits until it answers with the services. */
export async function serve(
  engine: Engine,
  services: readonly ZoneService[],
  { zone = {}, changes = [], synced = true, responder: more = {} }: ServerOptions = {},
): Promise<Server> {
  const running = await live({
    mode: engine,
    zone: { ...ZONE, serverAddresses: [ip("10.9.9.9"), ip("fd00::9")], ...zone },
    clock: { ...systemClock, now: () => millis(SERIAL * 1000) },
    ...more,
  });
  const { responder, at, troubles } = running;
  if (responder.stats().mode !== engine) throw new Error(`UDP is served by ${responder.stats().mode}, not ${engine}`);
  const update = async (next: readonly ZoneChange[]): Promise<void> => {
    responder.update(next);
    await responder.applied();
  };
  const given = services.map((service): ZoneChange => ({ kind: "service", service }));
  await update([...changes, ...given, { kind: "synced", synced }]);
  return {
    at,
    ask: (name, type, options) => askBoth(at, message(name, type, options)),
    update,
    troubles: () => troubles.list().map(({ code, detail }) => `${code}: ${detail}`),
    skippedNames: () => responder.stats().zone.skippedNames,
    [Symbol.asyncDispose]: () => running.stop(),
  };
}

/** askBoth sends the same octets both ways. The two answers must say the same, addresses in any order. */
async function askBoth(at: HostPort, octets: Uint8Array): Promise<Both> {
  const exchange = { server: at, message: octets, accepts: (reply: Uint8Array) => reply[0] === octets[0] };
  const [udp, tcp] = await Promise.all([
    exchangeUdp({ ...exchange, signal: AbortSignal.timeout(TIMEOUT_MS) }),
    exchangeTcp({ ...exchange, signal: AbortSignal.timeout(TIMEOUT_MS) }),
  ]);
  if (!udp.ok || !tcp.ok) throw new Error(`no reply: ${JSON.stringify([udp, tcp])}`);
  const byUdp = asked(udp.value);
  const byTcp = asked(tcp.value);
  if (byUdp.truncated) return { ...byTcp, cut: true };
  const plain = ({ octets: _, bytes: __, ...rest }: Asked): string =>
    JSON.stringify({ ...rest, answers: rest.answers.toSorted() });
  if (plain(byUdp) !== plain(byTcp)) throw new Error(`UDP says ${plain(byUdp)}, TCP says ${plain(byTcp)}`);
  return { ...byUdp, cut: false };
}
