export { doorsOf, type Interfaces, serversOf } from "./corefile-options.ts";
export { createNameserver, type Nameserver, type NameserverDeps } from "./nameserver.ts";
export {
  type DoorPlan,
  type NameserverOptions,
  type NameserverPlan,
  NO_DOORS,
  plainServer,
  type ServerPlan,
} from "./options.ts";
