import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getBuiltinModule } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../free-port.ts";
import type { KubeTools } from "./tools.ts";

const { get } = getBuiltinModule("node:https");

/** ControlPlane is one real Kubernetes API on the loopback, without nodes: etcd, API server, controller manager. */
export interface ControlPlane {
  readonly folder: string;
  readonly kubeconfig: string;
  readonly server: string;
  /** stop ends one of its programs at once, or all, and removes everything. */
  stopApiServer(): Promise<void>;
  startApiServer(): Promise<void>;
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
  readonly server: string;
  readonly #options: ControlPlaneOptions;
  readonly #ports: { readonly api: number; readonly etcd: number; readonly peer: number };
  readonly #token = randomBytes(16).toString("hex");
  readonly #children = new Map<string, ChildProcess>();

  constructor(folder: string, options: ControlPlaneOptions, api: number, etcd: number, peer: number) {
    this.folder = folder;
    this.kubeconfig = join(folder, "kubeconfig");
    this.server = `https://127.0.0.1:${api}`;
    this.#options = options;
    this.#ports = { api, etcd, peer };
  }

  async start(): Promise<void> {
    this.#write();
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
    await this.startApiServer();
    if (this.options.controllers) this.#startControllers();
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
    ]);
    await this.#ready();
  }

  async stopApiServer(): Promise<void> {
    await this.#kill("kube-apiserver");
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
    writeFileSync(join(this.folder, "tokens.csv"), `${this.#token},admin,admin,"system:masters"\n`, { mode: 0o600 });
    const cluster = { server: this.server, "certificate-authority": "certificates/apiserver.crt" };
    const config = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "lab", cluster }],
      users: [{ name: "admin", user: { token: this.#token } }],
      contexts: [{ name: "lab", context: { cluster: "lab", user: "admin" } }],
      "current-context": "lab",
    };
    writeFileSync(this.kubeconfig, JSON.stringify(config), { mode: 0o600 });
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
