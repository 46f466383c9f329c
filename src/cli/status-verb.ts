import type { GatewayStatus } from "#gateway";
import type { NodeStatus } from "#node";
import { ask, asking, orFail, print } from "./ask.ts";
import { age, ms, table } from "./table.ts";
import { CONFIG, DATA, OUTPUT, refuse, type Verb } from "./verb.ts";

/** status shows the daemon of --data; its exit code is 1 when a trouble is critical. */
export const statusVerb: Verb = {
  name: "status",
  summary: "show this daemon: peers, exports, imports, troubles; exit 1 when a trouble is critical",
  example: "meridian status --data /var/lib/meridian -o json",
  settings: [CONFIG, DATA, OUTPUT],
  async run(call) {
    const { reader, dir, json } = asking(call);
    if (reader.faults.length > 0) return refuse(call.around, reader.faults);
    return orFail(call, await ask(dir, call, { method: "GET", path: "/v1/status" }), (value) => {
      const status = value as GatewayStatus | NodeStatus;
      print(call, json, status, () => ("gateways" in status ? nodeText(status) : text(status)));
      return status.troubles.some(({ severity }) => severity === "critical") ? 1 : 0;
    });
  },
};

function text(status: GatewayStatus): string {
  const { broker, dataPlane, loop } = status;
  const facts = table(
    ["role", "cluster", "name", "version", "revision", "state age"],
    [
      [
        status.role,
        status.cluster ?? "-",
        status.name ?? "-",
        status.version,
        String(status.revision ?? "-"),
        age(status.stateAgeSeconds),
      ],
    ],
  );
  const plane = `${dataPlane.mode}${dataPlane.implementation === null ? "" : ` (${dataPlane.implementation}${dataPlane.version === null ? "" : ` ${dataPlane.version}`})`}`;
  const lines = [
    `broker      ${broker.url ?? "-"} ${broker.connected ? "connected" : "away"}`,
    `data plane  ${plane}`,
    `loop delay  ${ms(loop.maxDelaySeconds)} at most, p99 ${ms(loop.p99DelaySeconds)}`,
  ];
  const sections = [facts, `${lines.join("\n")}\n`, peers(status), services(status), troubles(status)];
  return sections.filter((section) => section !== "").join("\n");
}

function nodeText(status: NodeStatus): string {
  const facts = table(
    ["role", "cluster", "name", "version", "address", "global address", "heard", "services"],
    [
      [
        status.role,
        status.cluster ?? "-",
        status.name,
        status.version,
        status.local ?? "-",
        status.global ?? "-",
        age(status.networkAgeSeconds),
        String(status.services ?? "-"),
      ],
    ],
  );
  const rows = status.gateways.map((gateway) => [
    gateway.name,
    gateway.local,
    `${gateway.way}${gateway.link === null ? "" : ` (${gateway.link})`}`,
    `${gateway.up ? "up" : "down"}${gateway.draining ? ", drains" : ""}`,
    ms(gateway.rttSeconds),
    `${(gateway.lossRatio * 100).toFixed(1)} %`,
  ]);
  const gateways = rows.length === 0 ? "" : table(["GATEWAY", "ADDRESS", "BY", "WAY", "RTT", "LOSS"], rows);
  return [facts, gateways, troubles(status)].filter((section) => section !== "").join("\n");
}

function peers({ peers: all }: GatewayStatus): string {
  if (all.length === 0) return "";
  const rows = all.map((peer) => [
    peer.cluster,
    peer.name,
    peer.interface,
    peer.endpoint ?? "-",
    peer.mode,
    `${peer.up ? "up" : "down"}${peer.draining ? ", drains" : ""}`,
    age(peer.handshakeAgeSeconds),
    ms(peer.rttSeconds),
    `${(peer.lossRatio * 100).toFixed(1)} %`,
  ]);
  return table(["PEER", "GATEWAY", "INTERFACE", "ENDPOINT", "MODE", "WAY", "HANDSHAKE", "RTT", "LOSS"], rows);
}

function services({ exports: out, imports }: GatewayStatus): string {
  const most = 20;
  const rows = [
    ...out.map((e) => ["export", `${e.namespace}/${e.name}`, e.type, e.address ?? "-", `${e.endpoints} endpoints`]),
    ...imports.map((i) => [
      "import",
      `${i.namespace}/${i.name}`,
      i.type,
      "",
      `${i.clusters.join(",")}${i.stale ? " (stale)" : ""}`,
    ]),
  ];
  if (rows.length === 0) return "";
  const more = rows.length > most ? `… and ${rows.length - most} more (-o json shows all)\n` : "";
  return table(["", "SERVICE", "TYPE", "ADDRESS", "FROM"], rows.slice(0, most)) + more;
}

function troubles({ troubles: all }: Pick<GatewayStatus, "troubles">): string {
  if (all.length === 0) return "no troubles\n";
  return table(
    ["SEVERITY", "CODE", "TROUBLE", "DETAIL"],
    all.map((t) => [t.severity, t.code, t.title, t.detail]),
  );
}
