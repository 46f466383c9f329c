import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getBuiltinModule } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../free-port.ts";
import { renderKubeconfig } from "./kubeconfig.ts";
import type { KubeTools } from "./tools.ts";

const { get } = getBuiltinModule("node:https");

/** Write is one request of the gateway that changed something, or tried to. */
export interface Write {
  readonly verb: string;
  /** `services`, `serviceimports/status`… */
  readonly resource: string;
  readonly name: string;
  readonly code: number;
}

/** What the API server's audit is to note (audit.k8s.io/v1). */
const AUDIT = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [
    { level: "Metadata", users: ["gateway"], verbs: ["create", "update", "patch", "delete", "deletecollection"] },
    { level: "None" },
  ],
};

/** ControlPlane is one real Kubernetes API on the loopback, without nodes: etcd, API server, controller manager. */
export interface ControlPlane {
  readonly folder: string;
  /** Of a user who may do everything. */
  readonly kubeconfig: string;
  /** Of the user `gateway`, who may do what RBAC grants. */
  readonly gatewayKubeconfig: string;
  readonly server: string;
  stopApiServer(): Promise<void>;
  startApiServer(): Promise<void>;
  /** backup keeps what etcd holds now; the API server is away for a moment. */
  backup(): Promise<void>;
  /** restore puts back what backup kept, as an operator does after a loss. */
  restore(): Promise<void>;
  /** writes lists what the gateway has written since the last call, by the API server's own audit. */
  writes(): Promise<readonly Write[]>;
  /** peek lists the same, and keeps it for the next call of writes. */
  peek(): Promise<readonly Write[]>;
  /** down ends all of it and removes everything. */
  down(): Promise<void>;
}

export interface ControlPlaneOptions {
  readonly tools: KubeTools;
  /** Service network; 10.96.0.0/16 unless told. */
  readonly serviceCidr?: string;
  /** Whether the controller manager runs, too (not unless told): it deletes what a namespace held, and makes service accounts. */
  readonly controllers?: boolean;
}

const READY_MS = 60_000;

/** startControlPlane makes one that is empty. It dies with the process that started it, however that ends. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const folder = mkdtempSync(join(tmpdir(), "meridian-kube-"));
  const plane = new LocalPlane(folder, options, await freePort(), await freePort(), await freePort());
  try {
    await plane.start();
    return plane;
  } catch (error) {
    await plane.down();
    throw error;
  }
}

class LocalPlane implements ControlPlane {
  readonly folder: string;
  readonly kubeconfig: string;
  readonly gatewayKubeconfig: string;
  readonly server: string;
  readonly #options: ControlPlaneOptions;
  readonly #ports: { readonly api: number; readonly etcd: number; readonly peer: number };
  readonly #token = randomBytes(16).toString("hex");
  readonly #gatewayToken = randomBytes(16).toString("hex");
  /** Octets of the audit that were read, and what was read and not handed out. */
  #read = 0;
  readonly #unheard: Write[] = [];
  readonly #children = new Map<string, ChildProcess>();

  constructor(folder: string, options: ControlPlaneOptions, api: number, etcd: number, peer: number) {
    this.folder = folder;
    this.kubeconfig = join(folder, "kubeconfig");
    this.gatewayKubeconfig = join(folder, "gateway.kubeconfig");
    this.server = `https://127.0.0.1:${api}`;
    this.#options = options;
    this.#ports = { api, etcd, peer };
  }

  async start(): Promise<void> {
    this.#write();
    this.#startEtcd();
    await this.startApiServer();
    if (this.options.controllers) this.#startControllers();
  }

  async backup(): Promise<void> {
    await this.#kill("kube-apiserver");
    await this.#kill("etcd");
    cpSync(join(this.folder, "etcd"), join(this.folder, "backup"), { recursive: true });
    this.#startEtcd();
    await this.startApiServer();
  }

  async restore(): Promise<void> {
    await this.#kill("kube-apiserver");
    await this.#kill("etcd");
    rmSync(join(this.folder, "etcd"), { recursive: true });
    cpSync(join(this.folder, "backup"), join(this.folder, "etcd"), { recursive: true });
    this.#startEtcd();
    await this.startApiServer();
  }

  #startEtcd(): void {
    const { etcd, peer } = this.#ports;
    const urls = `http://127.0.0.1:${etcd}`;
    this.#spawn("etcd", this.#options.tools.etcd, [
      `--data-dir=${join(this.folder, "etcd")}`,
      `--listen-client-urls=${urls}`,
      `--advertise-client-urls=${urls}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-cluster=default=http://127.0.0.1:${peer}`,
      "--log-level=error",
    ]);
  }

  get options(): Required<Omit<ControlPlaneOptions, "tools">> {
    const { serviceCidr = "10.96.0.0/16", controllers = false } = this.#options;
    return { serviceCidr, controllers };
  }

  async startApiServer(): Promise<void> {
    const at = (name: string): string => join(this.folder, name);
    this.#spawn("kube-apiserver", this.#options.tools.apiserver, [
      `--etcd-servers=http://127.0.0.1:${this.#ports.etcd}`,
      "--bind-address=127.0.0.1",
      "--advertise-address=127.0.0.1",
      `--secure-port=${this.#ports.api}`,
      `--cert-dir=${at("certificates")}`,
      `--service-cluster-ip-range=${this.options.serviceCidr}`,
      "--authorization-mode=RBAC",
      `--token-auth-file=${at("tokens.csv")}`,
      "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
      `--service-account-key-file=${at("sa.key")}`,
      `--service-account-signing-key-file=${at("sa.key")}`,
      "--disable-admission-plugins=ServiceAccount",
      "--endpoint-reconciler-type=none",
      `--audit-policy-file=${at("audit.json")}`,
      `--audit-log-path=${at("audit.log")}`,
    ]);
    await this.#ready();
  }

  async stopApiServer(): Promise<void> {
    await this.#kill("kube-apiserver");
  }

  async writes(): Promise<readonly Write[]> {
    const news = await this.peek();
    this.#unheard.length = 0;
    return news;
  }

  async peek(): Promise<readonly Write[]> {
    const file = await open(join(this.folder, "audit.log")).catch(() => undefined);
    if (file === undefined) return [];
    await using _closed = file;
    const { size } = await file.stat();
    const { buffer } = await file.read({ buffer: Buffer.alloc(size - this.#read), position: this.#read });
    const end = buffer.lastIndexOf(10) + 1; // the last line may not be whole yet
    this.#read += end;
    const lines = buffer.toString("utf8", 0, end).split("\n").slice(0, -1);
    this.#unheard.push(...lines.map(writeOf));
    return [...this.#unheard];
  }

  async down(): Promise<void> {
    await Promise.all([...this.#children.keys()].map((name) => this.#kill(name)));
    rmSync(this.folder, { recursive: true, force: true });
  }

  #startControllers(): void {
    const config = this.kubeconfig;
    this.#spawn("kube-controller-manager", this.#options.tools.controllerManager, [
      `--kubeconfig=${config}`,
      `--authentication-kubeconfig=${config}`,
      `--authorization-kubeconfig=${config}`,
      "--bind-address=127.0.0.1",
      "--secure-port=0",
      `--service-account-private-key-file=${join(this.folder, "sa.key")}`,
      `--root-ca-file=${join(this.folder, "certificates", "apiserver.crt")}`,
      "--leader-elect=false",
    ]);
  }

  #write(): void {
    mkdirSync(join(this.folder, "certificates"), { recursive: true });
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const pem = privateKey.export({ type: "pkcs8", format: "pem" });
    writeFileSync(join(this.folder, "sa.key"), pem, { mode: 0o600 });
    const tokens = [`${this.#token},admin,admin,"system:masters"`, `${this.#gatewayToken},gateway,gateway`];
    writeFileSync(join(this.folder, "audit.json"), JSON.stringify(AUDIT));
    writeFileSync(join(this.folder, "tokens.csv"), `${tokens.join("\n")}\n`, { mode: 0o600 });
    this.#writeConfig(this.kubeconfig, this.#token);
    this.#writeConfig(this.gatewayKubeconfig, this.#gatewayToken);
  }

  #writeConfig(file: string, token: string): void {
    const authority = { "certificate-authority": "certificates/apiserver.crt" };
    writeFileSync(file, renderKubeconfig(this.server, authority, token), { mode: 0o600 });
  }

  /** A process that is started so dies with its starter. */
  #spawn(name: string, program: string, args: readonly string[]): void {
    const log = openSync(join(this.folder, `${name}.log`), "a");
    const child = spawn("setpriv", ["--pdeathsig", "KILL", program, ...args], { stdio: ["ignore", log, log] });
    this.#children.set(name, child);
  }

  async #kill(name: string): Promise<void> {
    const child = this.#children.get(name);
    this.#children.delete(name);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  async #ready(): Promise<void> {
    const until = Date.now() + READY_MS;
    const certificate = join(this.folder, "certificates", "apiserver.crt");
    while (Date.now() < until) {
      const child = this.#children.get("kube-apiserver");
      if (child?.exitCode !== null) break;
      if (existsSync(certificate) && (await this.#answers(await readFile(certificate, "utf8")))) return;
      await sleep(50);
    }
    const log = await readFile(join(this.folder, "kube-apiserver.log"), "utf8").catch(() => "");
    throw new Error(`the API server is not ready: ${log.slice(-2000)}`);
  }

  #answers(ca: string): Promise<boolean> {
    const headers = { authorization: `Bearer ${this.#token}` };
    return new Promise((resolve) => {
      const asked = get(`${this.server}/readyz`, { ca, headers, agent: false, timeout: 2000 }, (answer) => {
        answer.resume();
        resolve(answer.statusCode === 200);
      });
      asked.on("error", () => resolve(false));
      asked.on("timeout", () => asked.destroy());
    });
  }
}

function writeOf(line: string): Write {
  const { verb, objectRef, responseStatus } = JSON.parse(line) as {
    readonly verb: string;
    readonly objectRef: { readonly resource: string; readonly subresource?: string; readonly name?: string };
    readonly responseStatus?: { readonly code?: number };
  };
  const { resource, subresource, name = "" } = objectRef;
  const whole = subresource === undefined ? resource : `${resource}/${subresource}`;
  return { verb, resource: whole, name, code: responseStatus?.code ?? 0 };
}
