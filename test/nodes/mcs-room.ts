import { setTimeout as sleep } from "node:timers/promises";
import { eventually, type KubeCluster } from "#lab";
import { err, expect as must, ok, type Result } from "#values";
import { PORT, renderRoom } from "./mcs-objects.ts";

/** Limits of the upstream suite, in milliseconds. */
const LIMIT_MS = 20_000;
/** How long something has to stay as it is. */
const STAYS_MS = 5000;

/** Fields of an object as the API server gives it. */
export type Fields = Readonly<Record<string, unknown>>;

/** Srv is one SRV record, as busybox prints it. */
export interface Srv {
  readonly port: number;
  readonly target: string;
}

/** Room is a namespace of the same name in both clusters, for one specification. */
export class Room {
  readonly namespace: string;
  readonly clusters: readonly KubeCluster[];

  constructor(namespace: string, clusters: readonly KubeCluster[]) {
    this.namespace = namespace;
    this.clusters = clusters;
  }

  /** The name of its service in the clusterset. */
  get name(): string {
    return `hello.${this.namespace}.svc.clusterset.local`;
  }

  /** open makes it, and waits for the pods that ask where they are needed. */
  async open(asks: boolean): Promise<void> {
    await Promise.all(this.clusters.map((cluster) => this.apply(cluster, renderRoom(this.namespace))));
    if (!asks) return;
    const ready = ["wait", "pod/request", "--for=condition=Ready", "--timeout=60s"];
    await Promise.all(this.clusters.map((cluster) => this.kubectl(cluster, ready, { timeoutMs: 70_000 })));
  }

  /** close has it removed, and does not wait. */
  async close(): Promise<void> {
    const gone = ["delete", "namespace", this.namespace, "--wait=false"];
    await Promise.all(this.clusters.map((cluster) => cluster.kubectl(gone)));
  }

  async apply(cluster: KubeCluster, ...objects: readonly string[]): Promise<void> {
    await cluster.kubectl(["apply", "-f", "-"], { stdin: objects.join("---\n") });
  }

  async unexport(cluster: KubeCluster): Promise<void> {
    await this.kubectl(cluster, ["delete", "serviceexport", "hello"]);
  }

  /** importThat waits for the import that is as it should be; `what` says how. */
  importThat(cluster: KubeCluster, what: string, is: (one: Fields) => boolean = () => true): Promise<Fields> {
    return this.#objectThat(cluster, "serviceimport", what, is);
  }

  async noImport(cluster: KubeCluster): Promise<void> {
    await this.#waits(async () => {
      const found = await this.#find(cluster, "serviceimport");
      return found === undefined ? ok(undefined) : err(`there is an import in ${cluster.name}`);
    });
  }

  /** stays looks again and again whether there is an import, or is none. */
  async stays(cluster: KubeCluster, there: boolean): Promise<void> {
    const end = Date.now() + STAYS_MS;
    while (Date.now() < end) {
      const found = (await this.#find(cluster, "serviceimport")) !== undefined;
      if (found !== there) throw new Error(`${cluster.name} ${found ? "has an" : "lost the"} import`);
      await sleep(200);
    }
  }

  /** conditionThat waits until the export in a cluster has a condition. */
  async conditionThat(cluster: KubeCluster, type: string, status: string): Promise<void> {
    await this.#objectThat(cluster, "serviceexport", `${type}=${status}`, (one) => {
      const all = (at(one, "status", "conditions") ?? []) as readonly Fields[];
      return all.some((condition) => condition["type"] === type && condition["status"] === status);
    });
  }

  /** slicesThat waits for the slices that a label selects and that are as they should be. */
  async slicesThat(
    cluster: KubeCluster,
    label: string,
    what: string,
    are: (slices: readonly Fields[]) => boolean,
  ): Promise<readonly Fields[]> {
    return this.#waits(async () => {
      const text = await this.kubectl(cluster, ["get", "endpointslices", "-l", label, "-o", "json"]);
      const { items } = JSON.parse(text) as { readonly items: readonly Fields[] };
      return are(items) ? ok(items) : err(`${cluster.name}: slices by ${label}: not ${what}: ${JSON.stringify(items)}`);
    });
  }

  /** addresses waits until a name is answered as it should be, by the DNS of the cluster. */
  async addressesOf(cluster: KubeCluster, name: string, wanted: readonly string[]): Promise<void> {
    await this.#waits(async () => {
      const said = await this.ask(cluster, `nslookup -type=a ${name}`);
      const found = [...said.matchAll(/^Name:.*\nAddress:\s*(\S+)/gm)].map(([, address = ""]) => address);
      const same = found.toSorted().join(" ") === wanted.toSorted().join(" ");
      return same ? ok(undefined) : err(`${cluster.name}: ${name} is ${found.join(" ")}, not ${wanted.join(" ")}`);
    });
  }

  /** srvOf waits for SRV records of a name that are as they should be. */
  async srvOf(cluster: KubeCluster, name: string, are: (records: readonly Srv[]) => boolean): Promise<void> {
    await this.#waits(async () => {
      const said = await this.ask(cluster, `nslookup -type=srv ${name}`);
      const found = [...said.matchAll(/service = \d+ \d+ (\d+) (\S+)/g)].map(([, port, target = ""]) => ({
        port: Number(port),
        target,
      }));
      return are(found) ? ok(undefined) : err(`${cluster.name}: SRV of ${name} is ${JSON.stringify(found)}`);
    });
  }

  /** hostnameFrom waits until the service tells a pod's name, over TCP or by datagrams; `is` says whose. */
  async hostnameFrom(
    cluster: KubeCluster,
    protocol: "TCP" | "UDP",
    is: (hostname: string) => boolean = (name) => name.startsWith("hello-"),
  ): Promise<string> {
    const dial = `http://127.0.0.1:8080/dial?protocol=udp&request=hostname&tries=1&host=${this.name}&port=${PORT}`;
    const url = protocol === "TCP" ? `http://${this.name}:${PORT}/hostname` : dial;
    const command = `curl -sS --max-time 5 '${url}'`;
    return this.#waits(async () => {
      const said = (await this.ask(cluster, command)).trim().replace(/^\{"responses":\["(.*)"\]\}$/, "$1");
      return is(said) ? ok(said) : err(`${cluster.name}: ${command}: ${said}`);
    });
  }

  /** ask runs a command in the pod that asks, and gives all it says, right or wrong. */
  async ask(cluster: KubeCluster, command: string): Promise<string> {
    const said = await cluster.execIn("request", ["sh", "-c", `${command} 2>&1 || true`], {
      namespace: this.namespace,
      container: "request",
    });
    return said.ok ? said.value : said.error;
  }

  /** kubectl asks for something in this namespace. */
  kubectl(cluster: KubeCluster, args: readonly string[], options: { readonly timeoutMs?: number } = {}) {
    return cluster.kubectl(["-n", this.namespace, ...args], options);
  }

  async #objectThat(cluster: KubeCluster, kind: string, what: string, is: (one: Fields) => boolean): Promise<Fields> {
    return this.#waits(async () => {
      const found = await this.#find(cluster, kind);
      if (found === undefined) return err(`there is no ${kind} in ${cluster.name}`);
      const text = JSON.stringify({ spec: found["spec"], status: found["status"] });
      return is(found) ? ok(found) : err(`${kind} in ${cluster.name}: not ${what}: ${text}`);
    });
  }

  async #find(cluster: KubeCluster, kind: string): Promise<Fields | undefined> {
    const text = await this.kubectl(cluster, ["get", kind, "hello", "--ignore-not-found", "-o", "json"]);
    return text.trim() === "" ? undefined : (JSON.parse(text) as Fields);
  }

  async #waits<T>(ask: () => Promise<Result<T>>): Promise<T> {
    return must(await eventually(ask, { timeoutMs: LIMIT_MS, everyMs: 200 }));
  }
}

/** at is what stands at a path of fields. */
export function at(object: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Fields | undefined)?.[key], object);
}
