import { loadVerbs, type Verb } from "#cli";
import { camelCase } from "../../src/cli/setting.ts";
import { manifests } from "../../src/kube/install/deploy-files.ts";
import { part } from "../../src/kube/sink/projection.ts";

type Schema = Readonly<Record<string, unknown>>;
type Setting = Verb["settings"][number];

/** Settings that mean nothing in these pods: they have the folder that is mounted, the cluster that they are in, and an
 *  identity; no pod joins. */
const NOT_IN_PODS: readonly string[] = [
  "data",
  "manifests",
  "source-id",
  "kubeconfig",
  "context",
  "join-token",
  "join-token-file",
];
/** RFC 1123, section 2.1; empty until somebody gives it, which the template refuses in better words. */
const LABEL_OR_NOTHING = "^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$";

/** valuesSchema is the JSON Schema of the chart's values. The keys of configurations are the settings of the program
 *  itself, so that Helm refuses what its pods would refuse. Text is quoted text: what YAML 1.1 makes of `off` or of a
 *  name of digits is refused, too. */
export async function valuesSchema(): Promise<Schema> {
  const verbs = await loadVerbs();
  const gateway = configuration(verbs, "gateway", "DaemonSet");
  const broker = configuration(verbs, "broker", "Deployment");
  const values = {
    image: text("image of the program"),
    pullPolicy: { enum: ["Always", "IfNotPresent", "Never"], description: "when nodes pull the image" },
    gateway: object({ ...gateway, cluster: { ...gateway["cluster"], pattern: LABEL_OR_NOTHING } }),
    broker: { ...object({ enabled: { type: "boolean" }, config: object(broker) }), required: ["enabled", "config"] },
  };
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    $comment: "Made by deploy/helm/values-schema.ts: `make helm`.",
    // Helm itself puts `global` there, where the chart is part of another.
    ...object({ ...values, global: { type: "object" } }),
    // a null takes away what values.yaml gives
    required: Object.keys(values),
  };
}

function object(properties: Schema): Schema {
  return { type: "object", additionalProperties: false, properties };
}

/** The settings of a daemon, less what its pods' command line says already. */
function configuration(
  verbs: readonly Verb[],
  name: "gateway" | "broker",
  kind: string,
): Readonly<Record<string, Schema>> {
  const settings = verbs.find((verb) => verb.name === name)?.settings ?? [];
  const given = argumentsOf(name, kind);
  const free = settings.filter(
    ({ flag }) => !NOT_IN_PODS.includes(flag) && !given.some((one) => one.startsWith(`--${flag}=`)),
  );
  return Object.fromEntries(free.map((setting) => [camelCase(setting.flag), schemaOf(setting)]));
}

function argumentsOf(name: "gateway" | "broker", kind: string): readonly string[] {
  const daemon = manifests(name).find((one) => one.kind === kind);
  const [container] = part(daemon, "spec", "template", "spec")["containers"] as readonly [
    { readonly args: readonly string[] },
  ];
  return container.args;
}

function schemaOf({ value, help, fallback, repeat }: Setting): Schema {
  if (value === null) return { type: "boolean", description: help };
  const rest = fallback === undefined ? {} : { default: value === "PORT" ? Number(fallback) : fallback };
  if (value === "PORT") return { type: "integer", description: help, ...rest };
  return {
    ...text(help),
    ...(repeat === true ? { type: ["string", "array"], items: { type: "string" } } : {}),
    ...rest,
  };
}

function text(description: string): Schema {
  return { type: "string", description };
}
