export { createNameserver, type Nameserver, type NameserverDeps, type ServerStats } from "./nameserver.ts";
export type { NameserverOptions, ServerPlan } from "./options.ts";
