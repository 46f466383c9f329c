import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "#lab";
import { DaemonProcess, say } from "./daemon-process.ts";
import type { LoopbackBroker } from "./loopback-broker.ts";

/** LoopbackGateway is the program's gateway without a data plane: exports, imports, sync and names are the real ones. */
export class LoopbackGateway extends DaemonProcess {
  readonly cluster: string;
  readonly data: string;
  readonly dns: number;
  readonly #manifests: string;
  readonly #argv: readonly string[];
  readonly #tokenFile: string;

  private constructor(folder: string, cluster: string, dns: number) {
    super();
    this.cluster = cluster;
    this.dns = dns;
    this.data = join(folder, cluster);
    this.#manifests = join(folder, `${cluster}-manifests`);
    this.#tokenFile = join(folder, `${cluster}.token`);
    mkdirSync(this.#manifests, { recursive: true });
    this.#argv = [
      ...["gateway", "--data", this.data, "--cluster", cluster, "--name", `${cluster}-1`, "--data-plane", "none"],
      ...["--pod-cidr", "10.244.0.0/16", "--service-cidr", "10.96.0.0/16", "--manifests", this.#manifests],
      ...["--dns", `127.0.0.1:${dns}`, "--endpoint", "127.0.0.1"],
    ];
  }

  /** join starts a gateway of a new cluster that exports some services. */
  static async join(folder: string, broker: LoopbackBroker, cluster: string, exports: readonly string[]) {
    const gateway = await LoopbackGateway.invited(folder, broker, cluster);
    for (const name of exports) gateway.export(name);
    await gateway.redeem();
    return gateway;
  }

  /** invited is a gateway that has its token, and was not started yet. */
  static async invited(folder: string, broker: LoopbackBroker, cluster: string): Promise<LoopbackGateway> {
    const gateway = new LoopbackGateway(folder, cluster, await freePort());
    writeFileSync(gateway.#tokenFile, await broker.invite(), { mode: 0o600 });
    return gateway;
  }

  /** redeem starts it with its token. */
  redeem(under: readonly string[] = []): Promise<void> {
    return this.start([...this.#argv, "--join-token-file", this.#tokenFile], under);
  }

  /** serve starts it again, as it is on its disk. */
  serve(): Promise<void> {
    return this.start(this.#argv);
  }

  export(name: string): void {
    writeFileSync(join(this.#manifests, `${name}.yaml`), manifestOf(name));
  }

  withdraw(name: string): void {
    rmSync(join(this.#manifests, `${name}.yaml`));
  }

  leave(): Promise<string> {
    return say("leave", "--data", this.data);
  }

  async status(): Promise<{ readonly troubles: readonly { readonly code: string; readonly subject: string }[] }> {
    return JSON.parse(await say("status", "--data", this.data, "-o", "json")) as never;
  }
}

function manifestOf(name: string): string {
  const metadata = `{name: ${name}, namespace: shop}`;
  return [
    `{apiVersion: v1, kind: Service, metadata: ${metadata}, spec: {ports: [{name: http, port: 80}]}}`,
    `{apiVersion: multicluster.x-k8s.io/v1beta1, kind: ServiceExport, metadata: ${metadata}}`,
    `{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, metadata: {name: ${name}-1, namespace: shop, labels: {kubernetes.io/service-name: ${name}}}, ports: [{name: http, port: 80}], endpoints: [{addresses: [10.244.1.10]}]}`,
    "",
  ].join("\n---\n");
}
