import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { findHelm } from "#lab";
import { describeFault, runCommand } from "#life";
import { err, type Result } from "#values";
import { adapt, CONFIG_DIGEST, type InstallSettings } from "../../src/kube/install/adapt.ts";
import { crds, type KubeObject, manifests } from "../../src/kube/install/deploy-files.ts";
import { part } from "../../src/kube/sink/projection.ts";
import { chartFiles, WRITTEN } from "./chart-files.ts";
import { CHART } from "./generate.ts";

const helm = await findHelm();
if (!helm.ok) process.stderr.write(`skipped: ${helm.error}\n`);

describe("the chart that is kept with the sources", () => {
  test("is the one that the manifests make: `make helm` writes it anew", async () => {
    for (const [path, text] of await chartFiles()) expect(readFileSync(join(CHART, path), "utf8"), path).toBe(text);
  });

  test("has nothing but that and what people wrote", async () => {
    const entries = readdirSync(CHART, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    const expected = [...(await chartFiles()).keys(), ...WRITTEN].map((path) => join(CHART, path));
    expect(files.sort()).toEqual(expected.sort());
  });

  test("names each setting of its own in its values", () => {
    const values = parse(readFileSync(join(CHART, "values.yaml"), "utf8")) as object;
    const schema = JSON.parse(readFileSync(join(CHART, "values.schema.json"), "utf8")) as {
      readonly required: string[];
    };
    expect(Object.keys(values)).toEqual(schema.required);
  });
});

type Values = Readonly<Record<string, unknown>>;

const DEFAULTS = { namespace: "meridian", image: "meridian:dev", gateway: { cluster: "amber" } };
const OTHER = {
  namespace: "nets",
  image: "registry.example.com/meridian:9",
  gateway: {
    cluster: "birch",
    podCidr: ["10.1.0.0/16", "10.2.0.0/16"],
    serviceCidr: ["10.96.0.0/16"],
    exportMarker: ["cilium"],
    listenPort: 51900,
    globalnet: "on",
    logLevel: "debug",
  },
};
const BROKER = { advertise: "wss://broker.example.com:7443", supernet: ["242.0.0.0/8"], quarantine: "1h" };

describe.skipIf(!helm.ok)("what Helm makes of the chart", () => {
  test.each([
    ["defaults", DEFAULTS, { gateway: DEFAULTS.gateway }],
    ["other settings", OTHER, { image: OTHER.image, gateway: OTHER.gateway }],
  ])("is what `meridian install` applies: %s", async (_what, settings, values) => {
    expect(byName(await render(settings.namespace, values))).toEqual(byName(installed(settings)));
  });

  test("has the broker where it is asked for, with its own configuration; its data outlives the release", async () => {
    const broker = { enabled: true, config: BROKER };
    const all = await render(OTHER.namespace, { image: OTHER.image, gateway: OTHER.gateway, broker });
    expect(byName(all)).toEqual(byName([...installed(OTHER), ...brokerOf(OTHER)]));
    const alone = await render(OTHER.namespace, { image: OTHER.image, broker });
    expect(byName(alone)).toEqual(byName([...crds(), ...brokerOf(OTHER)]));
  });

  test("names in the pods' digest the configuration that they read", async () => {
    const broker = { enabled: true, config: BROKER };
    const objects = await render(OTHER.namespace, { gateway: OTHER.gateway, broker });
    for (const name of ["meridian-gateway", "meridian-broker"]) {
      const config = objects.find((object) => object.kind === "ConfigMap" && object.metadata.name === name);
      const [text = ""] = Object.values(part(config, "data")) as string[];
      const pods = objects.find((object) => podsOf(object) !== null && object.metadata.name === name);
      const digest = part(pods, "spec", "template", "metadata", "annotations")[CONFIG_DIGEST];
      expect(digest).toBe(createHash("sha256").update(text).digest("hex").slice(0, 16));
    }
  });

  test("pulls as it is told", async () => {
    const text = JSON.stringify(await render("nets", { pullPolicy: "Always", gateway: OTHER.gateway }));
    expect(new Set(text.match(/"imagePullPolicy":"\w+"/g))).toEqual(new Set(['"imagePullPolicy":"Always"']));
  });

  test.each<[string, Values, RegExp]>([
    ["no settings", {}, /gateway\.cluster is missing: .*broker\.enabled=true/],
    [
      "settings of gateways without their cluster",
      { gateway: { listenPort: 51900 }, broker: { enabled: true, config: BROKER } },
      /gateway\.cluster is missing/,
    ],
    ["a broker without its address", { broker: { enabled: true } }, /broker\.config\.advertise is missing/],
    ["an unknown value", { gatway: {} }, /gatway/],
    ["an unknown key of the gateways", { gateway: { cluster: "amber", listenPrt: 1 } }, /listenPrt/],
    ["what the pods say themselves", { gateway: { cluster: "amber", dns: "10.0.0.1:53" } }, /dns/],
    ["an unknown key of the broker", { broker: { config: { advertize: "x" } } }, /advertize/],
    ["a cluster that is no label", { gateway: { cluster: "Amber" } }, /cluster/],
    ["a cluster that is a number", { gateway: { cluster: 7 } }, /cluster/],
    ["a value that is taken away", { gateway: null }, /gateway/],
  ])("is nothing, with a reason: %s", async (_what, values, reason) => {
    const done = await callTemplate("nets", values);
    expect(done.ok ? "no fault" : done.error).toMatch(reason);
  });

  test("passes Helm's own check", async () => {
    const done = await call(["lint", CHART, "--strict", "--set", "gateway.cluster=amber"]);
    expect(done).toMatchObject({ ok: true, value: expect.stringContaining("0 chart(s) failed") });
  });
});

/** What an installation applies, but for the namespace, which Helm makes when it is told to. */
function installed(settings: InstallSettings): readonly KubeObject[] {
  return [...crds(), ...adapt([...manifests("rbac"), ...manifests("gateway"), ...manifests("node")], settings)];
}

function brokerOf(settings: InstallSettings): readonly KubeObject[] {
  return adapt(manifests("broker"), settings).map((object) => {
    if (object.kind === "ConfigMap") return { ...object, data: { "broker.yaml": JSON.stringify(BROKER) } };
    if (object.kind !== "PersistentVolumeClaim") return object;
    return { ...object, metadata: { ...object.metadata, annotations: { "helm.sh/resource-policy": "keep" } } };
  });
}

/** byName is objects by kind and name, whose order is Helm's own. Configurations are compared by what they say: Helm
 *  orders keys otherwise, and the digests with them. */
function byName(objects: readonly KubeObject[]): Values {
  const named = objects.map(
    (object) => [`${object.kind} ${object.metadata.name}`, podsOf(object) ?? readConfig(object)] as const,
  );
  expect(new Set(named.map(([name]) => name)).size).toBe(named.length);
  return Object.fromEntries(named);
}

function readConfig(object: KubeObject): KubeObject {
  if (object.kind !== "ConfigMap") return object;
  const data = Object.entries(part(object, "data")).map(([name, text]) => [name, parse(String(text)) as unknown]);
  return { ...object, data: Object.fromEntries(data) };
}

/** podsOf is a maker of pods without its digest; null where it is none. Those without a configuration have no digest. */
function podsOf(object: KubeObject): KubeObject | null {
  if (object.kind !== "DaemonSet" && object.kind !== "Deployment") return null;
  const copy = structuredClone(object);
  const annotations = part(copy, "spec", "template", "metadata", "annotations") as Record<string, unknown>;
  const hasConfig = JSON.stringify(copy).includes('"configMap"');
  expect(annotations[CONFIG_DIGEST] ?? "none").toMatch(hasConfig ? /^[0-9a-f]{16}$/ : /^none$/);
  if (hasConfig) annotations[CONFIG_DIGEST] = "";
  return copy;
}

async function render(namespace: string, values: Values): Promise<readonly KubeObject[]> {
  const done = await callTemplate(namespace, values);
  if (!done.ok) throw new Error(done.error);
  const documents = parseAllDocuments(done.value).map((document) => document.toJS() as KubeObject | null);
  return documents.filter((object) => object !== null);
}

/** 1.37.2 is what the laboratory's clusters run; a Helm that is built from its module assumes 1.20. */
function callTemplate(namespace: string, values: Values): Promise<Result<string>> {
  const flags = ["--namespace", namespace, "--include-crds", "--kube-version", "1.37.2", "--values", "-"];
  return call(["template", "meridian", CHART, ...flags], JSON.stringify(values));
}

async function call(argv: readonly string[], stdin?: string): Promise<Result<string>> {
  if (!helm.ok) return helm;
  const done = await runCommand([helm.value, ...argv], stdin === undefined ? {} : { stdin });
  return done.ok ? done : err(describeFault(done.error));
}
