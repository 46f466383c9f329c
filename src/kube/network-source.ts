import { type Clock, type Log, type Room, runAll, type Troubles } from "#life";
import type { ApiServer } from "./api/api-server.ts";
import { ListWatch, type ObjectFollower } from "./api/list-watch.ts";
import { RESOURCES } from "./api/resource.ts";
import { NETWORK } from "./network-document.ts";
import { part } from "./sink/projection.ts";

export interface NetworkSourceOptions {
  readonly api: ApiServer;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly troubles: Troubles;
  readonly namespace: string;
  /** Hears what the gateways wrote: as it came, unchecked. */
  readonly heard: (text: string) => void;
}

const TROUBLE = "network-unread";

/** createNetworkSource follows the ConfigMap in which the gateways tell the other nodes of the network. One that is
 *  deleted or empty says nothing: what was heard before stays. */
export function createNetworkSource(options: NetworkSourceOptions): Room {
  const { namespace, heard, troubles } = options;
  const follower: ObjectFollower = {
    put: (_, object) => {
      const text = part(object, "data")[NETWORK.key];
      if (typeof text === "string" && text !== "") heard(text);
    },
    remove: () => {},
    listed: () => {},
    fault: (fault) => {
      if (fault === null) return troubles.clear(TROUBLE);
      const title = "The API server does not say where the gateways are";
      const detail = `ConfigMap ${namespace}/${NETWORK.name}: ${fault.message}; what was last known stays in force`;
      troubles.set({ code: TROUBLE, severity: "warning", title, subject: "", detail });
    },
  };
  const only = { fieldSelector: `metadata.name=${NETWORK.name}`, namespace };
  const watch = new ListWatch({ ...options, resource: RESOURCES.configMaps, follower, ...only });
  return { name: "network source", run: (signal) => runAll([watch], signal) };
}
