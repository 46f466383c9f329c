import { join } from "node:path";
import { formatNetwork } from "#kube";
import { type Room, writeDurably } from "#life";
import { networkDocument } from "./network-now.ts";
import type { Gateway } from "./state.ts";

/** NETWORK_FILE in a gateway's data folder has what other nodes of its cluster are told where no API server tells them. */
export const NETWORK_FILE = "network.json";
const LOOK_MS = 1000;

/** createNetworkFile keeps it as the network is. */
export function createNetworkFile(gateway: Gateway): Room {
  const { clock, log, options } = gateway;
  const path = join(options.dataDir, NETWORK_FILE);
  return {
    name: "network file",
    async run(signal) {
      let last = "";
      while (!signal.aborted) {
        const network = networkDocument(gateway);
        const text = network === undefined ? "" : formatNetwork(network);
        if (text !== last && text !== "") {
          const done = await writeDurably(path, text);
          if (done.ok) last = text;
          else log.warn("what other nodes are told was not written", { error: done.error });
        }
        await clock.sleep(LOOK_MS, signal).catch(() => {});
      }
    },
  };
}
