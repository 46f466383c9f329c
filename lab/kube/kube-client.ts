import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import { type ApiServer, type Live, loadLive, type Resource } from "#kube";
import { systemClock } from "#life";
import { eventually } from "../eventually.ts";

const CRDS = fileURLToPath(new URL("../../deploy/crds/", import.meta.url));

const CRD: Resource = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  namespaced: false,
};

const RBAC = fileURLToPath(new URL("../../deploy/kubernetes/rbac.yaml", import.meta.url));
const [CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE, ROLE_BINDING] = (
  ["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"] as const
).map((kind): Resource => {
  const plural = `${kind.toLowerCase()}s`;
  return { apiVersion: "rbac.authorization.k8s.io/v1", kind, plural, namespaced: !kind.startsWith("Cluster") };
}) as [Resource, Resource, Resource, Resource];

type Fields = Readonly<Record<string, unknown>>;

/** KubeObject is an object as a user writes it. */
export interface UserObject extends Fields {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown };
}

/** KubeClient is a user of an API server: what kubectl would do. Everything throws that does not succeed. */
export interface KubeClient {
  readonly api: ApiServer;
  create(resource: Resource, object: UserObject): Promise<Fields>;
  /** apply makes or changes an object under the user's own field manager. */
  apply(resource: Resource, object: UserObject): Promise<Fields>;
  /** Undefined where there is none. */
  get(resource: Resource, namespace: string, name: string): Promise<Fields | undefined>;
  list(resource: Resource, namespace: string, labelSelector?: string): Promise<readonly Fields[]>;
  remove(resource: Resource, namespace: string, name: string): Promise<void>;
  /** status writes the status of an object. */
  status(resource: Resource, object: UserObject): Promise<void>;
  /** installCrds installs those of deploy/crds, and waits until they are served; of the Multi-Cluster Services API one
   *  version alone where that is told, as somebody else's CRDs may have it. */
  installCrds(only?: string): Promise<void>;
  /** grantGateway gives the user `gateway` what deploy/kubernetes/rbac.yaml grants a gateway. */
  grantGateway(): Promise<void>;
}

/** kubeClient asks as the user of a kubeconfig. */
export async function kubeClient(kubeconfig: string): Promise<KubeClient> {
  const { ApiServer, pathOf } = await loadLive();
  return new User(new ApiServer({ kind: "kubeconfig", file: kubeconfig, context: null }, systemClock, "lab"), pathOf);
}

const FOREVER = new AbortController().signal;

class User implements KubeClient {
  readonly api: ApiServer;
  readonly #pathOf: Live["pathOf"];

  constructor(api: ApiServer, pathOf: Live["pathOf"]) {
    this.api = api;
    this.#pathOf = pathOf;
  }

  create(resource: Resource, object: UserObject): Promise<Fields> {
    return this.#ask("POST", this.#pathOf(resource, object.metadata.namespace), whole(resource, object));
  }

  apply(resource: Resource, object: UserObject): Promise<Fields> {
    const { namespace, name } = object.metadata;
    return this.#ask("PATCH", this.#pathOf(resource, namespace, name), whole(resource, object));
  }

  async status(resource: Resource, object: UserObject): Promise<void> {
    const { namespace, name } = object.metadata;
    await this.#ask("PATCH", `${this.#pathOf(resource, namespace, name)}/status`, whole(resource, object));
  }

  async get(resource: Resource, namespace: string, name: string): Promise<Fields | undefined> {
    const found = await this.api.request({ path: this.#pathOf(resource, namespace, name) }, FOREVER);
    if (found.ok) return found.value as Fields;
    if (found.error.code === 404) return undefined;
    throw new Error(`${found.error.reason}: ${found.error.message}`);
  }

  async list(resource: Resource, namespace: string, labelSelector = ""): Promise<readonly Fields[]> {
    const found = await this.api.request(
      { path: this.#pathOf(resource, namespace), query: { labelSelector } },
      FOREVER,
    );
    if (!found.ok) throw new Error(`${found.error.reason}: ${found.error.message}`);
    return (found.value as { readonly items: readonly Fields[] }).items;
  }

  async remove(resource: Resource, namespace: string, name: string): Promise<void> {
    const gone = await this.api.request({ method: "DELETE", path: this.#pathOf(resource, namespace, name) }, FOREVER);
    if (!gone.ok && gone.error.code !== 404) throw new Error(`${gone.error.reason}: ${gone.error.message}`);
  }

  async installCrds(only?: string): Promise<void> {
    const objects = readdirSync(CRDS)
      .filter((file) => file.endsWith(".yaml"))
      .flatMap((file) => documentsOf(join(CRDS, file)))
      .map((object) => (only === undefined ? object : withVersion(object, only)));
    for (const object of objects) await this.apply(CRD, object);
    for (const { metadata } of objects) {
      const served = await eventually(async () => {
        const crd = await this.get(CRD, "", metadata.name);
        const text = JSON.stringify((crd?.["status"] as Fields | undefined)?.["conditions"] ?? []);
        const established = /"status":"True"[^}]*"type":"Established"|"type":"Established"[^}]*"status":"True"/.test(
          text,
        );
        return established ? { ok: true, value: undefined } : { ok: false, error: text };
      });
      if (!served.ok) throw new Error(`the CRD ${metadata.name} is not served: ${String(served.error)}`);
    }
  }

  async grantGateway(): Promise<void> {
    const { RESOURCES } = await loadLive();
    await this.apply(RESOURCES.namespaces, { metadata: { name: "meridian" } });
    const rules = documentsOf(RBAC).filter(({ kind }) => kind === "ClusterRole" || kind === "Role");
    const roles = rules.filter(({ metadata }) => metadata.name !== "meridian-node");
    for (const role of roles) {
      const { name, namespace } = role.metadata;
      const isCluster = role["kind"] === "ClusterRole";
      await this.apply(isCluster ? CLUSTER_ROLE : ROLE, role);
      await this.apply(isCluster ? CLUSTER_ROLE_BINDING : ROLE_BINDING, {
        metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: role["kind"], name },
        subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "gateway" }],
      });
    }
  }

  async #ask(method: "POST" | "PATCH", path: string, body: Fields): Promise<Fields> {
    const contentType = method === "PATCH" ? "application/apply-patch+yaml" : "application/json";
    const query = { fieldManager: "user", ...(method === "PATCH" ? { force: "true" } : {}) };
    const done = await this.api.request({ method, path, query, body, contentType }, FOREVER);
    if (!done.ok) throw new Error(`${method} ${path}: ${done.error.reason}: ${done.error.message}`);
    return done.value as Fields;
  }
}

function documentsOf(file: string): readonly UserObject[] {
  return parseAllDocuments(readFileSync(file, "utf8")).map((document) => document.toJS() as UserObject);
}

function whole({ apiVersion, kind }: Resource, object: UserObject): Fields {
  return { apiVersion, kind, ...object };
}

/** A CRD that serves one of its versions; one that has no such version stays as it is. */
function withVersion(crd: UserObject, name: string): UserObject {
  const spec = crd["spec"] as { readonly versions: readonly (Fields & { readonly name: string })[] };
  const [found] = spec.versions.filter((version) => version.name === name);
  return found === undefined ? crd : { ...crd, spec: { ...spec, versions: [{ ...found, storage: true }] } };
}
