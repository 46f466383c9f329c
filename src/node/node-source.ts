import { loadLive, type TableSource } from "#kube";
import { type Clock, type Log, type Room, runAll, type Troubles } from "#life";
import { followFile } from "./follow-file.ts";
import type { NodeOptions } from "./options.ts";

export interface SourceDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly troubles: Troubles;
  readonly heard: (text: string) => void;
  /** Hear of services, where there is somebody to tell of them. */
  readonly changed: (key: string) => void;
  readonly synced: () => void;
}

/** NodeSource follows what the gateways tell, wherever they do. */
export interface NodeSource extends Room {
  /** What imported services there are; null where nobody tells. */
  readonly services: TableSource | null;
}

/** nodeSource follows a live cluster, or a file that has the network and no services. */
export async function nodeSource({ from, version }: NodeOptions, deps: SourceDeps): Promise<NodeSource> {
  if (from.kind === "file") return { ...followFile({ ...deps, path: from.path }), services: null };
  const { ApiServer, createNetworkSource, createTableSource } = await loadLive();
  const api = new ApiServer(from.access, deps.clock, version);
  const network = createNetworkSource({ ...deps, api, namespace: from.namespace });
  const services = createTableSource({ ...deps, api });
  return {
    name: "what the gateways tell",
    services,
    async run(signal) {
      try {
        await runAll([network, services], signal);
      } finally {
        api.close();
      }
    },
  };
}
