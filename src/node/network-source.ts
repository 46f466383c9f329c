import { loadLive } from "#kube";
import { type Clock, type Log, type Room, runAll, type Troubles } from "#life";
import { followFile } from "./follow-file.ts";
import type { NodeOptions } from "./options.ts";

export interface SourceDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly troubles: Troubles;
  readonly heard: (text: string) => void;
}

/** networkSource follows what the gateways tell, wherever they do. */
export async function networkSource({ from, version }: NodeOptions, deps: SourceDeps): Promise<Room> {
  if (from.kind === "file") return followFile({ ...deps, path: from.path });
  const { ApiServer, createNetworkSource } = await loadLive();
  const api = new ApiServer(from.access, deps.clock, version);
  const source = createNetworkSource({ ...deps, api, namespace: from.namespace });
  return {
    name: source.name,
    async run(signal) {
      try {
        await runAll([source], signal);
      } finally {
        api.close();
      }
    },
  };
}
