export type { PeerBench } from "./bench.ts";
export type { GatewayDeps } from "./compose.ts";
export { type GatewayDaemon, openGateway } from "./daemon.ts";
export type { Check } from "./diagnose.ts";
export type { Explanation } from "./explain.ts";
export type { GatewayOptions } from "./options.ts";
export { gatewayRoutes } from "./routes.ts";
export type { GatewayStatus } from "./status.ts";
export type { AddressView, WhoisView } from "./whois.ts";
