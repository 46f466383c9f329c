export { type AdminHttpOptions, createAdminHttp } from "./admin-http.ts";
export { askBroker, type BrokerAsk } from "./ask-broker.ts";
export { askDaemon, type DaemonAsk } from "./ask-daemon.ts";
export type { AskFault } from "./ask-http.ts";
export type { ProcessReadings } from "./broker-readings.ts";
export type { ClusterView, Desk, DeskChange, DeskFault, InviteAsk, LatencyView } from "./desk.ts";
export type { HttpRoom } from "./http-room.ts";
export { createProbeHttp, type ProbeAnswer, type ProbeHttpOptions } from "./probe-http.ts";
export { createStatusHttp, type Route, type RouteAsk, type RouteFault, type StatusHttpOptions } from "./status-http.ts";
