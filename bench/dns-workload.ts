import type { ZoneService } from "#dns";
import { expect, type Ip, parseIp } from "#values";

export const ORIGIN = "clusterset.local";
/** Lifetime of every record, in seconds. */
export const TTL = 5;

/** serviceName is the name of the i-th service. All have one length, so that every query has. */
export function serviceName(i: number): string {
  return `${label(i)}.${namespace(i)}.svc.${ORIGIN}`;
}

/** serviceAddress is what it answers: in the part of the default supernet that services get. */
export function serviceAddress(i: number): Ip {
  return expect(parseIp(`242.${192 + ((i >>> 16) & 63)}.${(i >>> 8) & 255}.${i & 255}`));
}

/** zoneService is the i-th service as our responder takes it. */
export function zoneService(i: number, address = serviceAddress(i)): ZoneService {
  return {
    ...{ namespace: namespace(i), name: label(i), type: "ClusterSetIP", addresses: [address] },
    ...{ ports: [{ name: "http", protocol: "TCP", port: 80 }], endpoints: [] },
  };
}

/** CANARY is a name whose address counts up, to be told from all others by its first letter. It is as long as they are. */
export const CANARY = `canary0.${namespace(0)}.svc.${ORIGIN}`;

/** canaryService is it with the n-th address. */
export function canaryService(n: number): ZoneService {
  return { ...zoneService(0, serviceAddress(n)), name: "canary0" };
}

/** hostsFile is the first services for CoreDNS's plugin `hosts`. */
export function hostsFile(count: number): string {
  return lines(count, (i) => `${serviceAddress(i)} ${serviceName(i)}`);
}

/** importsFile is them as ServiceImports in plain YAML, a document each. */
export function importsFile(count: number): string {
  return lines(count, (i) =>
    [
      "---",
      "apiVersion: multicluster.x-k8s.io/v1alpha1",
      "kind: ServiceImport",
      `metadata:\n  name: ${label(i)}\n  namespace: ${namespace(i)}`,
      `spec:\n  type: ClusterSetIP\n  ips:\n  - ${serviceAddress(i)}`,
      "  ports:\n  - name: http\n    protocol: TCP\n    port: 80",
      "status:\n  clusters:\n  - cluster: amber",
    ].join("\n"),
  );
}

/** zoneFile is the same as a master file (RFC 1035 section 5). */
export function zoneFile(count: number): string {
  const head = `$ORIGIN ${ORIGIN}.\n$TTL ${TTL}\n@ IN SOA ns.dns hostmaster 1 7200 1800 86400 ${TTL}\n@ IN NS ns.dns\n`;
  return `${head}ns.dns IN A 127.0.0.1\n${lines(count, (i) => `${serviceName(i)}. IN A ${serviceAddress(i)}`)}`;
}

/** queryFile is a query for each of some names' A records, as the load generator reads them: length, then message. */
export function queryFile(names: readonly string[]): Uint8Array {
  return Buffer.concat(
    names.map((name) => {
      const message = queryMessage(name);
      return Buffer.concat([Uint8Array.of(message.length >>> 8, message.length), message]);
    }),
  );
}

/** shuffledNames is the names of the first services in an order that no cache foresees; always the same. */
export function shuffledNames(count: number): readonly string[] {
  const order = Array.from({ length: count }, (_, i) => i);
  let random = 0x2545f491;
  for (let i = count - 1; i > 0; i--) {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) | 0;
    const j = (random >>> 8) % (i + 1);
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order.map(serviceName);
}

/** One question, RD set as stub resolvers do, no OPT. */
function queryMessage(name: string): Uint8Array {
  const labels = name
    .split(".")
    .map((text) => Buffer.concat([Uint8Array.of(text.length), Buffer.from(text, "latin1")]));
  const header = Uint8Array.of(0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0);
  return Buffer.concat([header, ...labels, Uint8Array.of(0, 0, 1, 0, 1)]);
}

function label(i: number): string {
  return `s${String(i).padStart(6, "0")}`;
}

function namespace(i: number): string {
  return `ns-${String(i % 100).padStart(2, "0")}`;
}

function lines(count: number, line: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => `${line(i)}\n`).join("");
}
