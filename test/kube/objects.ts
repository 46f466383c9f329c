import { expect } from "vitest";
import { loadLive } from "#kube";
import { eventually, type KubeClient } from "#lab";
import { err, ok } from "#values";
import { type KubeMember, NAMESPACE } from "./scene.ts";

const { RESOURCES } = await loadLive();

export type Fields = Readonly<Record<string, unknown>>;

/** ServiceText is what differs between the Services of a test. */
export interface ServiceText {
  readonly spec?: Fields;
  /** Pods behind it: they need no nodes, since the test writes its slices itself. */
  readonly pods?: readonly string[];
  readonly metadata?: Fields;
  readonly exported?: Fields;
  readonly hostname?: string;
}

/** addService makes a selector-less Service with a slice of its own. */
export async function addService({ user }: KubeMember, name: string, text: ServiceText = {}): Promise<void> {
  const metadata = { ...text.metadata, name, namespace: NAMESPACE };
  const spec = { ports: [{ name: "http", port: 80, protocol: "TCP" }], ...text.spec };
  await user.create(RESOURCES.services, { metadata, spec });
  await addSlice(user, name, text);
}

export async function addSlice(
  user: KubeClient,
  name: string,
  { pods = ["10.244.0.5"], hostname }: ServiceText,
): Promise<void> {
  const labels = { "kubernetes.io/service-name": name, "endpointslice.kubernetes.io/managed-by": "lab" };
  await user.apply(RESOURCES.endpointSlices, {
    metadata: { name: `${name}-1`, namespace: NAMESPACE, labels },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints: pods.map((pod) => ({
      addresses: [pod],
      conditions: { ready: true },
      ...(hostname ? { hostname } : {}),
    })),
  });
}

/** exportService makes a ServiceExport. */
export async function exportService({ user }: KubeMember, name: string, spec: Fields = {}): Promise<void> {
  await user.create(RESOURCES.serviceExports, { metadata: { name, namespace: NAMESPACE }, spec });
}

/** unexport takes a name back everywhere, with its Service. */
export async function unexport(members: readonly KubeMember[], name: string): Promise<void> {
  for (const { user } of members) {
    await user.remove(RESOURCES.serviceExports, NAMESPACE, name);
    await user.remove(RESOURCES.services, NAMESPACE, name);
    await user.remove(RESOURCES.endpointSlices, NAMESPACE, `${name}-1`);
  }
}

/** at follows a path through an object. */
export function at(object: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce((here, step) => (here as Readonly<Record<string | number, unknown>> | undefined)?.[step], object);
}

/** importOf waits until a cluster has an import that is as wanted, and gives it. */
export async function importOf(
  { user, cluster }: KubeMember,
  name: string,
  wanted: (object: Fields) => boolean = () => true,
  timeoutMs = 20_000,
): Promise<Fields> {
  const found = await eventually(
    async () => {
      const object = await user.get(RESOURCES.serviceImports, NAMESPACE, name);
      const ready = object !== undefined && at(object, "status", "conditions") !== undefined;
      return ready && wanted(object) ? ok(object) : err(`${cluster} has ${JSON.stringify(object)}`);
    },
    { timeoutMs, everyMs: 50 },
  );
  if (!found.ok) throw new Error(`import ${name}: ${found.error}`);
  return found.value;
}

export async function noImport({ user, cluster }: KubeMember, name: string, timeoutMs = 20_000): Promise<void> {
  const gone = await eventually(
    async () => {
      const object = await user.get(RESOURCES.serviceImports, NAMESPACE, name);
      return object === undefined ? ok(undefined) : err(`${cluster} still has the import ${name}`);
    },
    { timeoutMs, everyMs: 50 },
  );
  if (!gone.ok) throw new Error(gone.error);
}

/** slicesOf waits until the slices of an import hold the wanted addresses, and gives them. */
export async function slicesOf(
  { user, cluster }: KubeMember,
  name: string,
  count: number,
  timeoutMs = 20_000,
): Promise<readonly Fields[]> {
  const label = `multicluster.kubernetes.io/service-name=${name}`;
  const found = await eventually(
    async () => {
      const slices = await user.list(RESOURCES.endpointSlices, NAMESPACE, label);
      const addresses = slices.flatMap(addressesOf);
      return addresses.length === count ? ok(slices) : err(`${cluster} has ${JSON.stringify(addresses)}, not ${count}`);
    },
    { timeoutMs, everyMs: 50 },
  );
  if (!found.ok) throw new Error(`slices of ${name}: ${found.error}`);
  return found.value;
}

export function addressesOf(slice: Fields): readonly string[] {
  return ((slice["endpoints"] ?? []) as readonly Fields[]).flatMap((one) => one["addresses"] as readonly string[]);
}

/** conditionOf waits until an export has a condition, and gives its message. */
export async function conditionOf(
  { user, cluster }: KubeMember,
  name: string,
  { type, status, reason }: { readonly type: string; readonly status: string; readonly reason: string },
): Promise<string> {
  const found = await eventually(
    async () => {
      const object = await user.get(RESOURCES.serviceExports, NAMESPACE, name);
      const all = (at(object, "status", "conditions") ?? []) as readonly Fields[];
      const one = all.find((condition) => condition["type"] === type);
      const good = one?.["status"] === status && one["reason"] === reason;
      return good ? ok(String(one["message"])) : err(`${cluster} has ${JSON.stringify(all)}`);
    },
    { timeoutMs: 20_000, everyMs: 50 },
  );
  if (!found.ok) throw new Error(`export ${name}: ${found.error}`);
  return found.value;
}

/** derivedOf is the derived Service of an import. */
export async function derivedOf({ user }: KubeMember, object: Fields): Promise<Fields> {
  const name = at(object, "metadata", "annotations", "multicluster.kubernetes.io/derived-service");
  expect(name).toMatch(/^derived-[0-9a-v]{10}$/);
  const service = await user.get(RESOURCES.services, NAMESPACE, String(name));
  if (service === undefined) throw new Error(`there is no Service ${String(name)}`);
  return service;
}
