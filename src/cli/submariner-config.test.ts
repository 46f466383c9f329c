import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { brokerVerb } from "./broker-verb.ts";
import { readConfig } from "./config-file.ts";
import { gatewayVerb } from "./gateway-verb.ts";
import { installVerb } from "./install-verb.ts";
import { statusVerb } from "./status-verb.ts";
import type { Verb } from "./verb.ts";
import { VERBS } from "./verbs.ts";

/** Both resources as the concept has them, in one file. */
const SAMPLE = readFileSync(join(import.meta.dirname, "../../test/cli/samples/submariner.yaml"), "utf8");
const [BROKER = "", SUBMARINER = ""] = SAMPLE.split("---\n");
const KEY = "Wb9yTxq0V1kR3nZcJ5hLs7MdPf2GaEuQ";

const dir = mkdtempSync(join(tmpdir(), "meridian-submariner-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Read is what a verb takes from a text: values with the line and the key that they came from. */
interface Read {
  readonly values: Readonly<Record<string, readonly string[]>>;
  readonly faults: readonly string[];
  readonly unread: readonly string[];
  readonly notices: readonly string[];
}

function read(verb: Verb, text: string): Read {
  const file = join(dir, "file.yaml");
  writeFileSync(file, text);
  const { values, faults, unread, notices } = readConfig({ text: file, place: "--config" }, verb, []);
  const short = (line: string): string => line.replace(`${file}:`, "");
  const texts = [...values].map(([flag, all]) => [flag, all.map((one) => `${one.text} (${short(one.place)})`)]);
  return {
    values: Object.fromEntries(texts),
    faults: faults.map(short),
    unread: [...unread],
    notices: notices.map(short),
  };
}

/** A Submariner of these lines alone. */
function submariner(...lines: readonly string[]): string {
  return `apiVersion: submariner.io/v1alpha1\nkind: Submariner\nspec:\n${lines.map((line) => `  ${line}\n`).join("")}`;
}

const broker = (...lines: readonly string[]): string =>
  submariner(...lines).replace("kind: Submariner", "kind: Broker");

const NETWORKS = {
  "pod-cidr": ["10.244.0.0/16 (23: clusterCIDR)"],
  cluster: ["cluster-a (24: clusterID)"],
  "global-cidr": ["242.1.0.0/16 (27: globalCIDR)"],
  "service-cidr": ["10.96.0.0/12 (31: serviceCIDR)"],
};
const IDLE = [
  "broker, brokerK8sApiServer, brokerK8sApiServerToken, brokerK8sRemoteNamespace, brokerK8sCA, ceIPSecDebug",
  "ceIPSecPSK (every gateway has a key of its own)",
  "colorCodes, debug, namespace",
  "natEnabled (needless: tunnels work through NAT always)",
  "repository, version",
].join(", ");

describe("the concept's own samples", () => {
  test("the Broker sets the supernet, and nothing of it is idle", () => {
    expect(read(brokerVerb, SAMPLE)).toEqual({
      values: { supernet: ["242.0.0.0/8 (8: globalnetCIDRRange)"] },
      faults: [],
      unread: [],
      notices: [],
    });
  });

  test.each([gatewayVerb, installVerb])(
    "the Submariner is refused for its key by $name, and for nothing else",
    (verb) => {
      const { values, faults } = read(verb, SAMPLE);
      expect(values).toEqual(NETWORKS);
      expect(faults).toEqual([
        "22: ceIPSecPSK: is a placeholder, which protects nothing; leave the line out: every gateway here has a key of its own",
      ]);
    },
  );

  test.each([gatewayVerb, installVerb])(
    "with a real key it is what $name needs, and one line says what it is not",
    (verb) => {
      expect(read(verb, SAMPLE.replace("<psk>", KEY))).toEqual({
        values: NETWORKS,
        faults: [],
        unread: [],
        notices: [` means nothing here: ${IDLE}`],
      });
    },
  );

  test("without the line of the key it is accepted, too", () => {
    const { faults, notices } = read(gatewayVerb, SAMPLE.replace(/^ {2}ceIPSecPSK.*\n/m, ""));
    expect({ faults, named: notices[0]?.includes("ceIPSecPSK") }).toEqual({ faults: [], named: false });
  });

  test("each resource may stand alone, in any order, and in a List as kubectl writes several", () => {
    const alone = read(gatewayVerb, SUBMARINER.replace("<psk>", KEY));
    expect(Object.keys(alone.values)).toEqual(Object.keys(NETWORKS));
    expect(read(brokerVerb, `${SUBMARINER}---\n${BROKER}`).values).toEqual({
      supernet: ["242.0.0.0/8 (33: globalnetCIDRRange)"],
    });
    const items = JSON.stringify({
      ...{ apiVersion: "v1", kind: "List" },
      items: [{ apiVersion: "submariner.io/v1alpha1", kind: "Submariner", spec: { clusterID: "amber" } }],
    });
    expect(read(gatewayVerb, items).values).toEqual({ cluster: ["amber (1: clusterID)"] });
  });
});

describe("what fields say", () => {
  test("several networks stand in one text; an empty text sets nothing", () => {
    const text = submariner(
      'clusterCIDR: "10.1.0.0/16, 10.2.0.0/16"',
      'serviceCIDR: ""',
      "globalCIDR:",
      "clusterID: 7e2",
    );
    expect(read(gatewayVerb, text)).toEqual({
      values: {
        "pod-cidr": ["10.1.0.0/16 (4: clusterCIDR)", "10.2.0.0/16 (4: clusterCIDR)"],
        cluster: ["7e2 (7: clusterID)"],
      },
      faults: [],
      unread: [],
      notices: [],
    });
  });

  test("an installation without service discovery leaves the cluster's DNS alone; a gateway never touches it", () => {
    const off = submariner("serviceDiscoveryEnabled: false");
    expect(read(installVerb, off)).toMatchObject({
      values: { "dns-integration": ["none (4: serviceDiscoveryEnabled)"] },
      notices: [],
    });
    expect(read(gatewayVerb, off)).toMatchObject({
      values: {},
      notices: [expect.stringMatching(/means nothing here: serviceDiscoveryEnabled \(a gateway exports what has/)],
    });
    for (const verb of [gatewayVerb, installVerb])
      expect(read(verb, submariner("serviceDiscoveryEnabled: true"))).toMatchObject({ values: {}, notices: [] });
  });

  test("fields that nobody knows, other resources, metadata and status set nothing", () => {
    const other = "apiVersion: v1\nkind: ConfigMap\ndata: {clusterID: other}\n";
    const text = `${other}---\n${submariner("clusterID: amber", "frobnicate: {deep: 1}")}status: {clusterID: was}\n---\n`;
    expect(read(gatewayVerb, text)).toEqual({
      values: { cluster: ["amber (8: clusterID)"] },
      faults: [],
      unread: [],
      notices: [" means nothing here: the ConfigMap, frobnicate"],
    });
  });

  test("a Broker's direct mode is for each cluster to say; what gateways do unless told needs no word", () => {
    expect(read(brokerVerb, broker("globalnetEnabled: false")).notices).toEqual([
      expect.stringMatching(/globalnetEnabled \(each cluster says it for itself: give its gateways --globalnet off\)$/),
    ]);
    for (const spec of ["globalnetEnabled: true", "components: []"]) {
      const { notices, faults } = read(brokerVerb, broker(spec));
      expect([notices.join().includes("globalnetEnabled"), faults]).toEqual([false, []]);
    }
  });

  test("no notice shows what a secret field holds", () => {
    const { notices } = read(gatewayVerb, submariner(`ceIPSecPSK: ${KEY}`, "brokerK8sApiServerToken: hunter2"));
    expect(notices.join()).toMatch(/ceIPSecPSK.*brokerK8sApiServerToken/);
    expect(notices.join()).not.toMatch(new RegExp(`hunter2|${KEY}`));
  });
});

describe("what is wrong", () => {
  test.each<[string, Verb, string, RegExp]>([
    [
      "no truth value",
      brokerVerb,
      broker("globalnetEnabled: yes"),
      /^4: globalnetEnabled: must be true or false: "yes"/,
    ],
    ["no truth value", gatewayVerb, submariner("natEnabled: 1"), /^4: natEnabled: must be true or false: "1"/],
    [
      "a list",
      gatewayVerb,
      submariner("clusterCIDR: [10.0.0.0/8]"),
      /^4: clusterCIDR: must be one value, no list and no map/,
    ],
    ["a map", gatewayVerb, submariner("clusterID: {a: b}"), /^4: clusterID: must be one value, no list and no map/],
    ["a spec that is none", gatewayVerb, submariner().replace("spec:", "spec: x"), /^3: spec: must be a map/],
    ["an empty key", gatewayVerb, submariner('ceIPSecPSK: ""'), /^4: ceIPSecPSK: is empty, and .* everybody knows/],
    ["no key after the field", gatewayVerb, submariner("ceIPSecPSK:"), /^4: ceIPSecPSK: is empty/],
    [
      "Submariner's own default",
      gatewayVerb,
      submariner("ceIPSecPSK: default psk"),
      /^4: ceIPSecPSK: is a key that everybody/,
    ],
    ["a default key", installVerb, submariner("ceIPSecPSK: DEFAULT"), /^4: ceIPSecPSK: is a key that everybody knows/],
    [
      "a short key",
      gatewayVerb,
      submariner("ceIPSecPSK: UIxiLQgkQ8L"),
      /^4: ceIPSecPSK: has 11 characters, and a key of 112 bits/,
    ],
    ["a key to be filled in", gatewayVerb, submariner('ceIPSecPSK: "$(IPSEC_PSK_OF_THE_CLUSTER)"'), /is a placeholder/],
    [
      "IPsec with no key",
      gatewayVerb,
      submariner("cableDriver: libreswan"),
      /^4: cableDriver libreswan without ceIPSecPSK/,
    ],
    [
      "another version",
      gatewayVerb,
      submariner().replace("v1alpha1", "v1"),
      /^1: apiVersion: must be submariner\.io\/v1alpha1: /,
    ],
    [
      "two clusters",
      gatewayVerb,
      `${submariner("clusterID: a")}---\n${submariner("clusterID: b")}`,
      /^6: is another Submariner/,
    ],
    ["only the other kind", gatewayVerb, BROKER, /^1: holds no Submariner of submariner\.io\/v1alpha1/],
    ["only the other kind", brokerVerb, SUBMARINER, /^1: holds no Broker of submariner\.io\/v1alpha1/],
    [
      "a text beside it",
      gatewayVerb,
      `${submariner("clusterID: a")}---\nhello\n`,
      /^6: must be a resource, with "apiVersion: /,
    ],
    ["YAML that ends too soon", gatewayVerb, submariner("clusterID: [a"), /^\d: .*flow/i],
    [
      "a verb that reads none",
      statusVerb,
      SAMPLE,
      /^1: resources of Submariner are read by broker, gateway and install alone/,
    ],
  ])("%s: %#", (_what, verb, text, fault) => {
    const { faults } = read(verb, text);
    expect(faults).toEqual([expect.stringMatching(fault)]);
  });

  test("a setting that could not be read is not called missing; where nothing could be, none is", () => {
    expect(read(gatewayVerb, submariner("clusterID: [a]")).unread).toEqual(["cluster"]);
    expect(read(gatewayVerb, BROKER).unread).toContain("cluster");
  });

  test("IPsec whose key is in a Secret, or tunnels of WireGuard, are none of it", () => {
    const secret = submariner("cableDriver: libreswan", "ceIPSecPSKSecret: submariner-ipsec-psk");
    for (const text of [secret, submariner("cableDriver: wireguard")])
      expect(read(gatewayVerb, text).faults).toEqual([]);
  });

  test("the verbs that a fault names are those that read such files", () => {
    const names = VERBS.filter((verb) => verb.submariner !== undefined).map(({ name }) => name);
    expect(names).toEqual(["broker", "gateway", "install"]);
  });
});
