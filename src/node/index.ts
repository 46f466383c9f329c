/** The `node` role: a node without a gateway of its own. It knows what the gateways of its cluster tell it, and makes that
 *  the way of its pods to them: routes that fail over by its own probes, and the translation's part that is the pods' own
 *  node's. */
export { NodeDaemon, type NodeDeps, type NodeGatewayStatus, type NodeStatus } from "./node-daemon.ts";
export type { NodeOptions } from "./options.ts";
