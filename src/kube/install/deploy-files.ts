import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";

/** KubeObject is an object as a manifest has it. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

/** The manifests that come with the program: what they say is what is installed. */
const DEPLOY = fileURLToPath(new URL("../../../deploy/", import.meta.url));

/** crds reads the CRDs that come with the program. */
export function crds(): readonly KubeObject[] {
  const files = readdirSync(`${DEPLOY}crds`).filter((name) => name.endsWith(".yaml"));
  return files.sort().flatMap((name) => documents(`${DEPLOY}crds/${name}`));
}

/** manifests reads `deploy/kubernetes/NAME.yaml`. */
export function manifests(
  name: "namespace" | "rbac" | "gateway" | "node" | "broker" | "uninstall",
): readonly KubeObject[] {
  return documents(`${DEPLOY}kubernetes/${name}.yaml`);
}

function documents(file: string): readonly KubeObject[] {
  return parseAllDocuments(readFileSync(file, "utf8")).map((document) => document.toJS() as KubeObject);
}
