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
    madeFrom("rbac", onlyIf(GATEWAYS, template(manifests("rbac"), GATEWAY))),
    madeFrom("gateway", NO_CLUSTER + onlyIf(GATEWAYS, template(manifests("gateway"), GATEWAY))),
    madeFrom("node", onlyIf(GATEWAYS, template(manifests("node"), GATEWAY))),
    madeFrom("broker", onlyIf(".Values.broker.enabled", NO_ADDRESS + template(brokerObjects(), BROKER))),
  ]);
}

/** Where Helm has the configuration of a daemon. */
const GATEWAY = ".Values.gateway";
const BROKER = ".Values.broker.config";

/** A cluster may have a broker and no gateways. Settings of gateways without the id are a mistake, with a broker, too. */
const GATEWAYS = `${GATEWAY}.cluster`;
const NO_CLUSTER = `{{- if and (not ${GATEWAYS}) (or (not .Values.broker.enabled) (omit ${GATEWAY} "cluster")) }}
{{- fail ${JSON.stringify(
  "gateway.cluster is missing: give the id of this cluster, as --set gateway.cluster=amber; " +
    "for a broker and no gateways give broker.enabled=true, and nothing of gateway",
)} }}
{{- end }}
`;
const NO_ADDRESS = `{{- if not ${BROKER}.advertise }}
{{- fail ${JSON.stringify(
  "broker.config.advertise is missing: give the address that gateways dial, " +
    "as --set broker.config.advertise=wss://broker.example.com:7443",
)} }}
{{- end }}
`;

/** What adapt puts where a setting is to be: words that no manifest has. */
const MARKS = {
  namespace: "mark-of-namespace",
  image: "mark-of-image",
  gateway: { mark: "of-configuration" },
} as const;
const MARK_OF_CONFIG = stringify(MARKS.gateway);

function madeFrom(name: string, text: string): readonly [path: string, text: string] {
  return [
    `templates/${name}.yaml`,
    `{{- /* Made from deploy/kubernetes/${name}.yaml: change that, then \`make helm\`. */}}\n${text}`,
  ];
}

/** template makes Helm's from manifests: adapt decides what differs between clusters, here as there. */
function template(objects: readonly KubeObject[], values: string): string {
  const texts = adapt(objects, MARKS).map((object) =>
    stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }),
  );
  const text = texts.join("---\n");
  if (text.includes("{{")) throw new Error("a manifest has braces, which Helm would read");
  return fill(text, values);
}

function fill(text: string, values: string): string {
  const config = `toYaml ${values}`;
  return text
    .replaceAll(MARKS.namespace, "{{ .Release.Namespace | quote }}")
    .replaceAll(MARKS.image, "{{ .Values.image | quote }}")
    .replaceAll(/(imagePullPolicy:) .*/g, "$1 {{ .Values.pullPolicy }}")
    .replaceAll(
      /^( *)mark: of-configuration$/gm,
      (_, indent: string) => `${indent}{{- ${config} | nindent ${indent.length} }}`,
    )
    .replaceAll(digestLine, `$1 {{ printf "%s\\n" (${config}) | sha256sum | trunc 16 | quote }}`);
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
