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
export type { CounterSums, RcodeCounts } from "./counters.ts";
export type { QueryFault } from "./exchange.ts";
export { type DnsQuestion, query } from "./query-client.ts";
export { createResponder, type Responder, type ResponderOptions, type ResponderStats } from "./responder.ts";
export type { SerialFloor } from "./serial-clock.ts";
export type { TcpLimits } from "./tcp-limits.ts";
export type { UdpMode } from "./udp-thread.ts";
export type { ZoneChange, ZoneEndpoint, ZoneOptions, ZonePort, ZoneService } from "./zone.ts";
