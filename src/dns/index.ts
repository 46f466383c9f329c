export type { DnsAnswer, DnsRecord } from "./answer-text.ts";
export { COREDNS, type DnsCompat } from "./compat.ts";
export { readCorefile } from "./corefile.ts";
export type {
  AclRule,
  CorefilePlan,
  CorefileServer,
  ErrorsRule,
  HttpPlace,
  LogClass,
  LogRule,
} from "./corefile-plan.ts";
export type { CorefileText, CorefileWorld } from "./corefile-syntax.ts";
export { isWithin } from "./corefile-zones.ts";
export type { CounterSums, RcodeCounts } from "./counters.ts";
export type { QueryFault } from "./exchange.ts";
export { rcodeText, typeText } from "./iana.ts";
export { nameText } from "./name-text.ts";
export type { PacketOptions } from "./packet-options.ts";
export { type DnsQuestion, query } from "./query-client.ts";
export type { LoggedQuery } from "./query-log.ts";
export type { RateLimit } from "./rate-limit.ts";
export { createResponder, type ResponderOptions } from "./responder.ts";
export type { Responder, ResponderStats } from "./responder-stats.ts";
export type { SerialFloor } from "./serial-clock.ts";
export type { HistogramSums, TallySums } from "./tally-sums.ts";
export type { TcpLimits } from "./tcp-limits.ts";
export type { UdpMode } from "./udp-thread.ts";
export {
  createWatchShare,
  type ListenerTally,
  lostLogged,
  readTallies,
  takeLogged,
  type WatchShare,
} from "./watch-share.ts";
export type { ZoneChange, ZoneEndpoint, ZoneOptions, ZonePort, ZoneService } from "./zone.ts";
