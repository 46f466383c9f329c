import { describe, expect, test } from "vitest";
import { EXPORT, SERVICE, SLICE } from "./example-manifests.ts";
import { readContent } from "./read-document.ts";

const faults = (text: string, file = "web.yaml") => readContent(file, text).faults;

describe("readContent() tells file, line and reason", () => {
  const change = (text: string, from: string | RegExp, to: string) => {
    expect(text).toMatch(from);
    return text.replace(from, to);
  };

  test.each<[string, string, string]>([
    ["a scalar", "just text\n", "web.yaml:1: must be an object with apiVersion and kind"],
    ["no apiVersion", "kind: Service\n", "web.yaml:1: apiVersion: is missing"],
    ["no kind", "apiVersion: v1\n", "web.yaml:1: kind: is missing"],
    ["a kind that is no text", "apiVersion: v1\nkind: 7\n", "web.yaml:2: kind: must be a string: 7"],
    ["no metadata", "apiVersion: v1\nkind: Namespace\n", "web.yaml:1: metadata: is missing"],
    ["no name", change(SERVICE, "  name: web\n", ""), "web.yaml:3: metadata.name: is missing"],
    [
      "a bad name",
      change(SERVICE, "name: web", "name: Web_1"),
      'web.yaml:4: metadata.name: must be a DNS label (a-z, 0-9 and -, at most 63): "Web_1"',
    ],
    [
      "a name that is a number",
      change(SERVICE, "name: web", "name: 7"),
      "web.yaml:4: metadata.name: must be a string: 7",
    ],
    [
      "a bad namespace",
      change(SERVICE, "shop", "a.b"),
      'web.yaml:5: metadata.namespace: must be a DNS label (a-z, 0-9 and -, at most 63): "a.b"',
    ],
    ["no spec", change(SERVICE, /spec:[\s\S]*/, ""), "web.yaml:1: spec: is missing"],
    ["no ports", change(SERVICE, /ports:[\s\S]*/, "type: ClusterIP\n"), "web.yaml:6: spec.ports: is missing"],
    [
      "an empty list of ports",
      change(SERVICE, /ports:[\s\S]*/, "ports: []\n"),
      "web.yaml:7: spec.ports: must have at least one port, unless clusterIP is None: a list",
    ],
    [
      "a bad type",
      `${SERVICE}  type: Cluster\n`,
      'web.yaml:10: spec.type: must be one of ClusterIP, NodePort, LoadBalancer, ExternalName: "Cluster"',
    ],
    [
      "a port out of range",
      change(SERVICE, "80", "70000"),
      "web.yaml:9: spec.ports[0].port: must be a whole number from 1 to 65535: 70000",
    ],
    [
      "a port of zero",
      change(SERVICE, "80", "0"),
      "web.yaml:9: spec.ports[0].port: must be a whole number from 1 to 65535: 0",
    ],
    [
      "a port that is text",
      change(SERVICE, "80", '"80"'),
      'web.yaml:9: spec.ports[0].port: must be a whole number from 1 to 65535: "80"',
    ],
    [
      "a port that is a fraction",
      change(SERVICE, "80", "80.5"),
      "web.yaml:9: spec.ports[0].port: must be a whole number from 1 to 65535: 80.5",
    ],
    [
      "a bad port name",
      change(SERVICE, "name: http", "name: HTTP"),
      'web.yaml:8: spec.ports[0].name: must be a DNS label (a-z, 0-9 and -, at most 63): "HTTP"',
    ],
    [
      "a bad protocol",
      `${SERVICE}    protocol: tcp\n`,
      'web.yaml:10: spec.ports[0].protocol: must be one of TCP, UDP, SCTP: "tcp"',
    ],
    [
      "a bad targetPort",
      `${SERVICE}    targetPort: 0\n`,
      "web.yaml:10: spec.ports[0].targetPort: must be a whole number from 1 to 65535: 0",
    ],
    [
      "a port name used twice",
      `${SERVICE}  - name: http\n    port: 81\n`,
      'web.yaml:10: spec.ports[1].name: is taken by an earlier port: "http"',
    ],
    [
      "a port number used twice",
      `${SERVICE}  - name: web\n    port: 80\n`,
      "web.yaml:11: spec.ports[1].port: is taken by an earlier port of the same protocol: 80",
    ],
    ["a nameless port among several", `${SERVICE}  - port: 81\n`, "web.yaml:10: spec.ports[1].name: is missing"],
    [
      "a bad affinity",
      `${SERVICE}  sessionAffinity: Cookie\n`,
      'web.yaml:10: spec.sessionAffinity: must be one of None, ClientIP: "Cookie"',
    ],
    [
      "too long an affinity",
      `${SERVICE}  sessionAffinityConfig: {clientIP: {timeoutSeconds: 90000}}\n`,
      "web.yaml:10: spec.sessionAffinityConfig.clientIP.timeoutSeconds: must be a whole number from 1 to 86400: 90000",
    ],
    [
      "a bad internalTrafficPolicy",
      `${SERVICE}  internalTrafficPolicy: Node\n`,
      'web.yaml:10: spec.internalTrafficPolicy: must be one of Cluster, Local: "Node"',
    ],
    [
      "a bad family",
      `${SERVICE}  ipFamilies: [IPv5]\n`,
      'web.yaml:10: spec.ipFamilies[0]: must be one of IPv4, IPv6: "IPv5"',
    ],
    [
      "too many families",
      `${SERVICE}  ipFamilies: [IPv4, IPv6, IPv4]\n`,
      "web.yaml:10: spec.ipFamilies: must have at most 2 entries: a list",
    ],
    [
      "a bad label",
      `${EXPORT}spec:\n  exportedLabels:\n    team: "no spaces"\n`,
      'web.yaml:8: spec.exportedLabels.team: must be a label value: at most 63 letters, digits, -, _ and ., with a letter or digit at both ends: "no spaces"',
    ],
    [
      "a label that is no text",
      `${EXPORT}spec:\n  exportedLabels:\n    on: true\n`,
      "web.yaml:8: spec.exportedLabels.on: must be a string: true",
    ],
    [
      "a bad label key",
      `${EXPORT}spec:\n  exportedLabels:\n    "a b": c\n`,
      'web.yaml:8: spec.exportedLabels.a b: must be a qualified name: "c"',
    ],
    [
      "a bad time",
      `${EXPORT}  creationTimestamp: yesterday\n`,
      'web.yaml:6: metadata.creationTimestamp: must be a time as 2026-01-31T12:00:00Z: "yesterday"',
    ],
    [
      "a bad addressType",
      change(SLICE, "addressType: IPv4", "addressType: IP"),
      'web.yaml:8: addressType: must be one of IPv4, IPv6, FQDN: "IP"',
    ],
    ["no addressType", change(SLICE, "addressType: IPv4\n", ""), "web.yaml:1: addressType: is missing"],
    [
      "an address that is none",
      change(SLICE, "10.244.0.7", "10.244.0.700"),
      'web.yaml:13: endpoints[0].addresses[0]: must be an IP address: "10.244.0.700"',
    ],
    [
      "no addresses",
      change(SLICE, "[10.244.0.7]", "[]"),
      "web.yaml:13: endpoints[0].addresses: must have at least 1 entries: a list",
    ],
    [
      "an address of the other family",
      change(SLICE, "10.244.0.7", '"fd00::7"'),
      'web.yaml:13: endpoints[0].addresses[0]: must be an IPv4 address: "fd00::7"',
    ],
    [
      "a bad hostname",
      change(SLICE, "web-0", "web.0"),
      'web.yaml:14: endpoints[0].hostname: must be a DNS label (a-z, 0-9 and -, at most 63): "web.0"',
    ],
    [
      "a bad node",
      change(SLICE, "node-1", "Node 1"),
      'web.yaml:15: endpoints[0].nodeName: must be DNS labels joined by dots, at most 253 characters: "Node 1"',
    ],
    [
      "a ready that is text",
      `${SLICE}  conditions: {ready: "yes"}\n`,
      'web.yaml:16: endpoints[0].conditions.ready: must be a boolean: "yes"',
    ],
    [
      "a bad target port",
      change(SLICE, "8080", "-1"),
      "web.yaml:11: ports[0].port: must be a whole number from 1 to 65535: -1",
    ],
    [
      "broken YAML",
      "a: 1\nb: [1, 2\n",
      "web.yaml:3: not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]",
    ],
    ["a key given twice", "apiVersion: v1\nkind: x\nkind: y\n", "web.yaml:3: not YAML: Map keys must be unique"],
  ])("of %s", (_, text, expected) => {
    expect(faults(text)[0]).toBe(expected);
    expect(readContent("web.yaml", text).objects).toEqual([]);
  });

  test.each(["127.0.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "255.255.255.255"])(
    "of the special address %s",
    (ip) => {
      expect(faults(SLICE.replace("10.244.0.7", ip))).toEqual([
        `web.yaml:13: endpoints[0].addresses[0]: must not be a special address: "${ip}"`,
      ]);
    },
  );

  test.each(["::1", "fe80::1", "::ffff:10.0.0.1", "ff02::1"])("of the special address %s", (ip) => {
    expect(faults(SLICE.replace("IPv4", "IPv6").replace("10.244.0.7", `"${ip}"`))[0]).toContain(
      "must not be a special address",
    );
  });

  test("of the right line in a later document", () => {
    expect(faults(`# head\n---\n${SERVICE}---\n\n${SERVICE.replace("80", "0")}`)[0]).toMatch(
      /^web\.yaml:22: spec\.ports/,
    );
  });

  test("of every fault in a file at once, up to twenty", () => {
    expect(faults(`${SERVICE.replace("80", "0").replace("web", "W")}---\nx\n`)).toHaveLength(3);
    expect(faults(Array.from({ length: 50 }, () => "x\n").join("---\n"))).toHaveLength(20);
  });

  test("of an item of a List", () => {
    const list = `apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Namespace\n  metadata:\n    name: A\n- text\n`;
    expect(faults(list)).toEqual([
      'web.yaml:7: items[0].metadata.name: must be a DNS label (a-z, 0-9 and -, at most 63): "A"',
      "web.yaml:8: items[1]: must be an object with apiVersion and kind",
    ]);
  });

  test.each([
    ['{"a": 1,\n}', /^web\.json:2: not JSON: Expected double-quoted property name in JSON/],
    ['{"a": 1,\n', /^web\.json:\d: not JSON: /],
    ["kind: yaml", /^web\.json:1: not JSON: /],
    [
      '{"apiVersion": "v1",\n "kind": "Namespace",\n "metadata": {"name": "A"}}',
      /^web\.json:3: metadata\.name: must be a DNS label/,
    ],
  ])("of the JSON %j", (text, expected) => {
    expect(faults(text, "web.json")[0]).toMatch(expected);
  });

  test("of alias bombs and bottomless nesting, without blowing up", () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefghi"
      .split("")
      .map((key, at) => `${key}: &${key} [${Array.from({ length: 9 }, () => `*${"abcdefgh"[at]}`).join(",")}]`)
      .join("\n")}\n`;
    expect(faults(bomb)[0]).toMatch(/^web\.yaml:1: not YAML: Excessive alias count/);
    expect(faults("[".repeat(20_000))).toHaveLength(1);
    expect(faults(`${'{"a":'.repeat(20_000)}1`, "web.json")).toHaveLength(1);
  });
});
