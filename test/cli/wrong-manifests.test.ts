import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { statusShape } from "./status-shape.ts";
import { folder, meridian, type Said } from "./testbed.ts";
import { brokerPlace, type GatewayPlace, gatewayPlace, until, webService, writeManifest } from "./testbed-daemons.ts";

/** Manifests with each field wrong, all in one folder with a good one: each shows as a trouble with file, line and
 *  reason, and none holds back another. Broker and gateway run in this process. */

const SERVICE = `apiVersion: v1
kind: Service
metadata:
  name: web
  namespace: shop
spec:
  ports:
  - name: http
    port: 80
`;
const EXPORT = `apiVersion: multicluster.x-k8s.io/v1alpha1
kind: ServiceExport
metadata:
  name: web
  namespace: shop
`;
const SLICE = `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: web-1
  namespace: shop
  labels: {kubernetes.io/service-name: web}
addressType: IPv4
ports:
- name: http
  port: 80
endpoints:
- addresses: [10.244.0.8]
`;
const IMPORT = `apiVersion: multicluster.x-k8s.io/v1beta1
kind: ServiceImport
metadata:
  name: far
  namespace: shop
spec:
  type: ClusterSetIP
  ports:
  - port: 80
`;
const NAMESPACE = `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n`;

/** file, text, line and reason of its trouble. */
const WRONG: readonly (readonly [file: string, text: string, line: number, reason: RegExp])[] = [
  ["yaml-unclosed", "kind: [\n", 2, /./],
  ["yaml-tab", "kind: Service\nspec:\n\tports: []\n", 3, /[Tt]ab/],
  ["yaml-scalar", "hello\n", 1, /must be an object with apiVersion and kind/],
  ["no-kind", "apiVersion: v1\n", 1, /kind: is missing/],
  ["no-api-version", "kind: Service\n", 1, /apiVersion: is missing/],
  ["no-metadata", "apiVersion: v1\nkind: Service\n", 1, /metadata: is missing/],
  ["namespace-name", NAMESPACE.replace("name: shop", "name: My_Shop"), 4, /metadata\.name: must be a DNS label/],
  ["service-name", SERVICE.replace("name: web", "name: Web"), 4, /metadata\.name: must be a DNS label/],
  ["service-namespace", SERVICE.replace("shop", "a.b"), 5, /metadata\.namespace: must be a DNS label/],
  ["service-no-spec", SERVICE.replace(/spec:[\s\S]*/, ""), 1, /spec: is missing/],
  ["service-no-ports", SERVICE.replace(/ports:[\s\S]*/, "type: ClusterIP\n"), 6, /spec\.ports: is missing/],
  ["service-type", `${SERVICE}  type: Cluster\n`, 10, /spec\.type: must be one of ClusterIP/],
  [
    "service-port",
    SERVICE.replace("80", "70000"),
    9,
    /spec\.ports\[0\]\.port: must be a whole number from 1 to 65535: 70000/,
  ],
  ["service-port-text", SERVICE.replace("80", "http"), 9, /spec\.ports\[0\]\.port: must be a whole number/],
  ["service-port-name", SERVICE.replace("http", "HTTP"), 8, /spec\.ports\[0\]\.name: must be a DNS label/],
  [
    "service-protocol",
    `${SERVICE}    protocol: tcp\n`,
    10,
    /spec\.ports\[0\]\.protocol: must be one of TCP, UDP, SCTP: "tcp"/,
  ],
  ["service-port-twice", `${SERVICE}  - name: b\n    port: 80\n`, 11, /is taken by an earlier port/],
  [
    "service-affinity",
    `${SERVICE}  sessionAffinity: Cookie\n`,
    10,
    /spec\.sessionAffinity: must be one of None, ClientIP/,
  ],
  ["service-families", `${SERVICE}  ipFamilies: [IPv5]\n`, 10, /spec\.ipFamilies\[0\]: must be one of IPv4, IPv6/],
  [
    "service-policy",
    `${SERVICE}  internalTrafficPolicy: Node\n`,
    10,
    /spec\.internalTrafficPolicy: must be one of Cluster, Local/,
  ],
  ["export-name", EXPORT.replace("name: web", "name: -web"), 4, /metadata\.name: must be a DNS label/],
  [
    "export-label",
    `${EXPORT}spec:\n  exportedLabels:\n    team: "no spaces"\n`,
    8,
    /spec\.exportedLabels\.team: must be a label value/,
  ],
  ["export-time", `${EXPORT}  creationTimestamp: yesterday\n`, 6, /metadata\.creationTimestamp: must be a time as/],
  [
    "slice-address",
    SLICE.replace("10.244.0.8", "10.244.0.800"),
    12,
    /endpoints\[0\]\.addresses\[0\]: must be an IP address/,
  ],
  ["slice-loopback", SLICE.replace("10.244.0.8", "127.0.0.1"), 12, /endpoints\[0\]\.addresses\[0\]: /],
  ["slice-type", SLICE.replace("IPv4", "IP"), 7, /addressType: must be one of IPv4, IPv6, FQDN/],
  ["slice-port", SLICE.replace("port: 80", "port: 0"), 10, /ports\[0\]\.port: must be a whole number/],
  [
    "slice-no-addresses",
    SLICE.replace("addresses: [10.244.0.8]", "conditions: {ready: true}"),
    12,
    /endpoints\[0\]\.addresses: is missing/,
  ],
  ["slice-ready", `${SLICE}  conditions: {ready: maybe}\n`, 13, /endpoints\[0\]\.conditions\.ready: must be a boolean/],
  ["import-type", IMPORT.replace("ClusterSetIP", "ClusterIP"), 7, /spec\.type: must be one of ClusterSetIP, Headless/],
];

const READY = /"msg":"ready"/;
const [dir, remove] = folder();
const stop = new AbortController();
const running: Promise<Said>[] = [];
let amber!: GatewayPlace;

/** begin starts a daemon in this process, and waits until it is ready or ends. */
async function begin(argv: readonly string[]): Promise<void> {
  const ready = Promise.withResolvers<void>();
  const onErr = (text: string): void => {
    if (READY.test(text)) ready.resolve();
  };
  const daemon = meridian(argv, { signal: stop.signal, onErr });
  running.push(daemon);
  await Promise.race([
    ready.promise,
    daemon.then(({ err }): never => {
      throw new Error(`ended before it was ready: ${err}`);
    }),
  ]);
}

async function status() {
  const { out } = await meridian(["status", "--data", amber.data, "-o", "json"]);
  return statusShape.parse(JSON.parse(out));
}

const reasons = async (): Promise<readonly string[]> => (await status()).troubles.map(({ detail }) => detail);

beforeAll(async () => {
  const broker = await brokerPlace(dir);
  await begin(broker.argv);
  const { out: token } = await meridian(["invite", "--data", broker.data]);
  writeFileSync(join(dir, "token"), token);
  amber = await gatewayPlace(dir, "amber");
  for (const [file, text] of WRONG) writeManifest(amber, `${file}.yaml`, text);
  writeManifest(amber, "good.yaml", webService("good", "10.244.0.7"));
  await begin([...amber.argv, "--join-token-file", join(dir, "token")]);
  await until(status, ({ imports }) => imports.length > 0);
}, 60_000);

afterAll(async () => {
  stop.abort();
  const ends = await Promise.all(running);
  remove();
  expect(ends.map(({ code }) => code)).toEqual([0, 0]);
}, 30_000);

describe("a wrong manifest is a trouble with file, line and reason", () => {
  test.each(WRONG)("%s", async (file, _text, line, reason) => {
    const found = (await reasons()).filter((detail) => detail.startsWith(`${file}.yaml: `));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`${file}.yaml:${line}: `);
    expect(found[0]).toMatch(reason);
  });

  test("and holds back no other file", async () => {
    const { exports, imports, troubles } = await status();
    expect(exports).toEqual([expect.objectContaining({ namespace: "shop", name: "good", endpoints: 1 })]);
    expect(imports).toEqual([
      { namespace: "shop", name: "good", type: "ClusterSetIP", clusters: ["amber"], stale: false },
    ]);
    expect(troubles.filter(({ code }) => code === "manifest-invalid")).toHaveLength(WRONG.length);
    expect(troubles.filter(({ severity }) => severity === "critical")).toEqual([]);
    const { code } = await meridian(["explain", "good.shop.svc.clusterset.local", "--data", amber.data]);
    expect(code).toBe(0);
  });
});

describe("a file that becomes wrong", () => {
  test("keeps its last good content in force, and its trouble ends with the mend", async () => {
    writeManifest(amber, "good.yaml", webService("good", "10.244.0.7").replace("port: 80", "port: none"));
    const [told] = await until(
      async () => (await reasons()).filter((text) => text.startsWith("good.yaml")),
      (all) => all.length > 0,
    );
    expect(told).toMatch(/good\.yaml:1: spec\.ports\[0\]\.port: must be a whole number from 1 to 65535: "none"/);
    expect((await status()).exports).toEqual([expect.objectContaining({ name: "good", endpoints: 1 })]);
    writeManifest(amber, "good.yaml", webService("good", "10.244.0.9"));
    await until(reasons, (all) => !all.some((text) => text.startsWith("good.yaml")));
  });

  test("an object in two files is in force once, and both places are told", async () => {
    writeManifest(amber, "second.yaml", webService("good", "10.244.0.99"));
    const found = await until(
      async () => (await status()).troubles.filter(({ code }) => code === "manifest-duplicate"),
      (all) => all.length > 0,
    );
    expect(found[0]?.detail).toMatch(/second\.yaml:\d+: Service shop\/good is already defined in good\.yaml:1/);
    rmSync(join(amber.manifests, "second.yaml"));
    await until(status, ({ troubles }) => !troubles.some(({ code }) => code === "manifest-duplicate"));
  });
});
