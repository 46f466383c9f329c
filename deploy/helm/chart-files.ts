import { readdirSync, readFileSync } from "node:fs";
import { stringify } from "yaml";
import { adapt, CONFIG_DIGEST } from "../../src/kube/install/adapt.ts";
import { type KubeObject, manifests } from "../../src/kube/install/deploy-files.ts";
import { valuesSchema } from "./values-schema.ts";

const HERE = new URL("./", import.meta.url);
const CRDS = new URL("../crds/", HERE);

/** ChartFiles are texts by their paths in the chart's folder. */
export type ChartFiles = ReadonlyMap<string, string>;

/** What people write: everything else in the chart's folder is made by chartFiles. */
export const WRITTEN: readonly string[] = ["values.yaml", "templates/NOTES.txt"];

/** chartFiles makes the chart from the manifests that `meridian install` applies. The CRDs are in `crds/`, where Helm
 *  installs those that are missing, and neither changes nor deletes any: they belong to a standard and may be somebody
 *  else's already; as templates they would keep the whole chart out of such a cluster. */
export async function chartFiles(): Promise<ChartFiles> {
  const crds = readdirSync(CRDS).filter((name) => name.endsWith(".yaml"));
  return new Map([
    ["Chart.yaml", renderChart()],
    ["values.schema.json", `${JSON.stringify(await valuesSchema(), null, 2)}\n`],
    ...crds.sort().map((name) => [`crds/${name}`, readFileSync(new URL(name, CRDS), "utf8")] as const),
    ["templates/rbac.yaml", template("rbac", manifests("rbac"), GATEWAY)],
    ["templates/gateway.yaml", template("gateway", manifests("gateway"), GATEWAY)],
    ["templates/broker.yaml", onlyIf(".Values.broker.enabled", template("broker", brokerObjects(), BROKER))],
  ]);
}

/** Daemon is whose configuration stands in a template. */
interface Daemon {
  /** Where Helm has it. */
  readonly values: string;
  /** The key without which it does not start, and what to say then. */
  readonly key: string;
  readonly remedy: string;
}

const GATEWAY: Daemon = {
  values: ".Values.gateway",
  key: "cluster",
  remedy: "gateway.cluster is missing: give the id of this cluster, as --set gateway.cluster=amber",
};
const BROKER: Daemon = {
  values: ".Values.broker.config",
  key: "advertise",
  remedy:
    "broker.config.advertise is missing: give the address that gateways dial, as --set broker.config.advertise=wss://broker.example.com:7443",
};

/** What adapt puts where a setting is to be: words that no manifest has. */
const MARKS = {
  namespace: "mark-of-namespace",
  image: "mark-of-image",
  gateway: { mark: "of-configuration" },
} as const;
const MARK_OF_CONFIG = stringify(MARKS.gateway);

/** template makes one of Helm's from manifests: adapt decides what differs between clusters, here as there. */
function template(name: string, objects: readonly KubeObject[], daemon: Daemon): string {
  const adapted = adapt(objects, MARKS).map((object) =>
    stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }),
  );
  const text = adapted.join("---\n");
  if (text.includes("{{")) throw new Error(`${name}.yaml has braces, which Helm would read`);
  return `{{- /* Made from deploy/kubernetes/${name}.yaml: change that, then \`make helm\`. */ -}}\n${fill(text, daemon)}`;
}

function fill(text: string, { values, key, remedy }: Daemon): string {
  const config = `toYaml ${values}`;
  const filled = text
    .replaceAll(MARKS.namespace, "{{ .Release.Namespace | quote }}")
    .replaceAll(MARKS.image, "{{ .Values.image | quote }}")
    .replaceAll(/(imagePullPolicy:) .*/g, "$1 {{ .Values.pullPolicy }}")
    .replaceAll(
      /^( *)mark: of-configuration$/gm,
      (_, indent: string) => `${indent}{{- ${config} | nindent ${indent.length} }}`,
    )
    .replaceAll(digestLine, `$1 {{ printf "%s\\n" (${config}) | sha256sum | trunc 16 | quote }}`);
  return filled.includes(config)
    ? `{{- $_ := required ${JSON.stringify(remedy)} ${values}.${key} -}}\n${filled}`
    : filled;
}

const digestLine = new RegExp(`(${CONFIG_DIGEST}:) .*`, "g");

/** The broker has its own configuration, and its data outlives the release: every membership is in it. */
function brokerObjects(): readonly KubeObject[] {
  return manifests("broker").map((object) => {
    if (object.kind === "ConfigMap") return { ...object, data: { "broker.yaml": MARK_OF_CONFIG } };
    if (object.kind !== "PersistentVolumeClaim") return object;
    return { ...object, metadata: { ...object.metadata, annotations: { "helm.sh/resource-policy": "keep" } } };
  });
}

function onlyIf(condition: string, text: string): string {
  return `{{- if ${condition} }}\n${text}{{- end }}\n`;
}

/** The chart has the program's version: they are one. Containers that go on beside others need Kubernetes 1.29. */
function renderChart(): string {
  const program = JSON.parse(readFileSync(new URL("../../package.json", HERE), "utf8")) as {
    readonly version: string;
    readonly description: string;
    readonly license: string;
  };
  const chart = {
    apiVersion: "v2",
    name: "meridian",
    description: program.description,
    type: "application",
    version: program.version,
    appVersion: program.version,
    kubeVersion: ">=1.29.0-0",
    annotations: { license: program.license },
  };
  return `# Made by deploy/helm/generate.ts: \`make helm\`.\n${stringify(chart)}`;
}
