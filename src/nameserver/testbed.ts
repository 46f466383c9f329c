import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DnsAnswer, query, readCorefile } from "#dns";
import { freePort } from "#lab";
import { silentLog, systemClock } from "#life";
import { type Ip, ok } from "#values";
import { doorsOf, serversOf } from "./corefile-options.ts";
import { createNameserver, type Nameserver } from "./nameserver.ts";
import type { NameserverPlan } from "./options.ts";

export const LOOPBACK = "127.0.0.1" as Ip;

/** Two imports of each kind, by the names that the tests ask for. */
export const IMPORTS = `
apiVersion: multicluster.x-k8s.io/v1alpha1
kind: ServiceImport
metadata: { name: web, namespace: shop }
spec: { type: ClusterSetIP, ips: [242.192.0.1, "fd00::1"], ports: [{ name: http, protocol: TCP, port: 80 }] }
---
apiVersion: multicluster.x-k8s.io/v1beta1
kind: ServiceImport
metadata: { name: db, namespace: shop }
spec: { type: Headless, ports: [{ name: pg, protocol: TCP, port: 5432 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: db-amber
  namespace: shop
  labels: { multicluster.kubernetes.io/service-name: db, multicluster.kubernetes.io/source-cluster: amber }
addressType: IPv4
ports: [{ name: pg, port: 5432 }]
endpoints: [{ addresses: [242.1.0.10], hostname: db-0 }, { addresses: [242.1.0.11] }]
`;

/** Running is a nameserver on real sockets of the loopback. */
export interface Running extends AsyncDisposable {
  readonly nameserver: Nameserver;
  readonly dir: string;
  readonly ports: Readonly<Record<"DNS" | "OTHER" | "HEALTH" | "READY" | "PROM", number>>;
  /** What the query log has written. */
  readonly lines: string[];
  ask(name: string, type?: string, options?: { readonly tcp?: boolean; readonly port?: number }): Promise<DnsAnswer>;
  /** Status and body. */
  get(port: number, path: string): Promise<readonly [number, string]>;
  /** plan is what a Corefile says, with the ports of this nameserver. */
  plan(corefile: string): NameserverPlan;
  /** stop begins the end and returns when it has come. */
  stop(): Promise<void>;
}

/** planOf reads a Corefile; its environment is given. */
export function planOf(corefile: string, env: Readonly<Record<string, string>> = {}): NameserverPlan {
  const imported = () => ok([{ file: "common.conf", text: "errors" }]);
  const plan = readCorefile({ file: "Corefile", text: corefile }, { env, imported });
  if (!plan.ok) throw new Error(plan.error.join("\n"));
  const servers = serversOf(plan.value, new Map([["lo", [LOOPBACK]]]));
  if (!servers.ok) throw new Error(servers.error.join("\n"));
  return { servers: servers.value, doors: doorsOf(plan.value), hash: "a".repeat(128) };
}

/** serve runs a nameserver; `{$DNS}` and the like in the Corefile are free ports. `imports` of null: the folder is not
 *  there yet. */
export async function serve(corefile: string, imports: string | null = IMPORTS, wait = true): Promise<Running> {
  const dir = mkdtempSync(join(tmpdir(), "meridian-names-"));
  const folder = join(dir, "manifests");
  if (imports !== null) {
    const { mkdirSync } = await import("node:fs");
    mkdirSync(folder);
    writeFileSync(join(folder, "imports.yaml"), imports);
  }
  const [DNS, OTHER, HEALTH, READY, PROM] = await freePorts();
  const ports = { DNS, OTHER, HEALTH, READY, PROM };
  const env = Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)]));
  const lines: string[] = [];
  const deps = { clock: systemClock, log: silentLog, random: () => 0.5, out: (text: string) => void lines.push(text) };
  const options = {
    from: { kind: "folder", dir: folder } as const,
    http: null,
    version: "1.2.3",
    ...planOf(corefile, env),
  };
  const nameserver = createNameserver(options, deps);
  const end = new AbortController();
  const ended = nameserver.run(end.signal);
  if (wait) await Promise.race([nameserver.serving, ended]);
  const stop = async (): Promise<void> => {
    end.abort();
    await ended;
  };
  return {
    nameserver,
    dir: folder,
    ports,
    lines,
    stop,
    ask: async (name, type = "A", { tcp = false, port = DNS } = {}) => {
      const question = { server: { host: LOOPBACK, port }, name, type, tcp, timeoutMs: 5000 };
      const answer = await query(question, AbortSignal.timeout(10_000));
      if (!answer.ok) throw new Error(`${name} ${type}: ${answer.error.kind}: ${answer.error.detail}`);
      return answer.value;
    },
    get: async (port, path) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: "close" } });
      return [response.status, await response.text()];
    },
    plan: (text) => planOf(text, env),
    async [Symbol.asyncDispose]() {
      await stop().catch(() => {});
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** until asks again until the answer pleases; each question is an exchange of its own, so no pause is needed. */
export async function until<T>(ask: () => Promise<T>, good: (answer: T) => boolean, timeoutMs = 10_000): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask().catch((reason: unknown) => reason as Error);
    if (!(answer instanceof Error) && good(answer)) return answer;
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function freePorts(): Promise<readonly [number, number, number, number, number]> {
  return [await freePort(), await freePort(), await freePort(), await freePort(), await freePort()];
}
