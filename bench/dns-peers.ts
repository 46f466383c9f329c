import { ORIGIN, TTL } from "./dns-workload.ts";

/** corefile serves a file of hosts, and nothing else; `metricsPort` adds what every cluster has beside it. */
export function corefile(port: number, hosts: string, metricsPort?: number): string {
  const around = metricsPort === undefined ? "" : `  errors\n  prometheus 127.0.0.1:${metricsPort}\n`;
  const plugin = `  hosts ${hosts} ${ORIGIN} {\n    ttl ${TTL}\n    no_reverse\n  }\n`;
  return `${ORIGIN}:${port} {\n  bind 127.0.0.1\n${around}${plugin}}\n`;
}

/** nsdConf serves a master file by one process, without limits of rate. */
export function nsdConf(port: number, folder: string): string {
  return `server:
  server-count: 1
  ip-address: 127.0.0.1@${port}
  username: ""
  chroot: ""
  zonesdir: "${folder}"
  database: ""
  pidfile: "${folder}/nsd.pid"
  xfrdfile: "${folder}/xfrd.state"
  zonelistfile: "${folder}/zone.list"
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: ${ORIGIN}
  zonefile: zone
`;
}
