import { type Table, table } from "./table.ts";

/** What probes ask (plugin/health, plugin/ready). */
export const TABLE_4_4: Table = table("4.4", "Health and readiness of CoreDNS", {
  health: "GET /health is 200 OK while the process runs",
  "self-check": "it asks itself once a second",
  lameduck: "names and /health are answered for a while after the signal, /ready says Shutting down",
  ready: "GET /ready is 200 OK when everything is read",
  "not-ready": "503 with the names of what is not ready",
  "until-ready": "readiness once had is kept, unless monitored continuously",
  startup: "listeners wait for the source, and answer without it after startup_timeout",
  addresses: "port 8080 and 8181 of every address where none is given",
});
