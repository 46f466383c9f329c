import { brokerTls } from "#identity";
import { silentLog, systemClock } from "#life";
import { createSyncClient } from "#sync";

/** The real client, in a process of its own, that dials again at once whatever happens to it: what a gateway does at
 *  most every few hundred milliseconds. */
const [url = "", ca = ""] = process.argv.slice(2);
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());

/** Several at a time: one alone mostly waits for the network. */
const CLIENTS = 6;
const clients = Array.from({ length: CLIENTS }, () =>
  createSyncClient({
    urls: () => [url],
    tls: () => brokerTls(ca),
    version: "storm",
    clock: systemClock,
    random: () => 1, // no wait between two attempts
    log: silentLog,
    login: () => {
      throw new Error("nobody got as far as a challenge");
    },
    cursor: () => null,
    welcomed: () => {},
    batch: async () => {},
    refused: () => {},
    state: () => {},
  }),
);
process.stdout.write("ready\n");
await Promise.all(clients.map((client) => client.run(stop.signal)));
