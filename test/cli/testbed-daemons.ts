import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { freePort } from "#lab";
import { runCommand } from "#life";
import type { Said } from "./testbed.ts";

/** The program as users call it: its own process, from any working directory. */
export const BIN = fileURLToPath(new URL("../../bin/meridian", import.meta.url));

/** Daemon is a process of ours, and every line that it has written to stderr. */
export interface Daemon {
  readonly child: ChildProcess;
  readonly lines: readonly string[];
  /** Resolves with the first line that matches; rejects when the process ends before there is one. */
  line(pattern: RegExp): Promise<string>;
  /** Sends a signal and gives the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** Resolves with the exit code. */
  readonly exited: Promise<number | null>;
}

/** startDaemon starts a process whose lines are kept. Nothing of this process's environment reaches it but the PATH. */
export function startDaemon(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Daemon {
  const child = spawn(BIN, [...argv], {
    cwd: "/",
    env: { PATH: "/usr/bin:/bin", ...env },
    stdio: ["ignore", "inherit", "pipe"],
  });
  const lines: string[] = [];
  const waiting: { readonly pattern: RegExp; readonly resolve: (line: string) => void }[] = [];
  createInterface({ input: child.stderr as NonNullable<typeof child.stderr> }).on("line", (line) => {
    lines.push(line);
    for (const { pattern, resolve } of waiting) if (pattern.test(line)) resolve(line);
  });
  const exited = once(child, "close").then(([code]) => code as number | null);
  return {
    child,
    lines,
    exited,
    line: (pattern) => {
      const found = lines.find((line) => pattern.test(line));
      if (found !== undefined) return Promise.resolve(found);
      const ended = exited.then((code): never => {
        throw new Error(`ended with ${code} before ${pattern}:\n${lines.join("\n")}`);
      });
      return Promise.race([new Promise<string>((resolve) => waiting.push({ pattern, resolve })), ended]);
    },
    stop: (signal = "SIGTERM") => {
      child.kill(signal);
      return exited;
    },
  };
}

/** say calls a verb of the program in a process of its own. */
export async function say(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Said> {
  const child = spawn(BIN, [...argv], {
    cwd: "/",
    env: { PATH: "/usr/bin:/bin", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const text = async (stream: NodeJS.ReadableStream): Promise<string> => {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString("utf8");
  };
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code: code as number, out, err };
}

/** BrokerPlace is where a broker of a test is found. */
export interface BrokerPlace {
  readonly data: string;
  readonly port: number;
  readonly http: number;
  readonly argv: readonly string[];
}

export async function brokerPlace(dir: string): Promise<BrokerPlace> {
  const [data, port, http] = [join(dir, "broker"), await freePort(), await freePort()];
  const argv = ["broker", "--data", data, "--listen", `127.0.0.1:${port}`, "--http", `127.0.0.1:${http}`];
  return { data, port, http, argv };
}

/** GatewayPlace is where a gateway of a test is found, and its call without a token. */
export interface GatewayPlace {
  readonly data: string;
  readonly manifests: string;
  readonly dns: number;
  readonly http: number;
  readonly argv: readonly string[];
}

/** gatewayPlace makes the manifest folder of a gateway that touches no interface, and chooses its ports. */
export async function gatewayPlace(dir: string, cluster: string): Promise<GatewayPlace> {
  const [data, manifests] = [join(dir, cluster), join(dir, `${cluster}-manifests`)];
  const [dns, http] = [await freePort(), await freePort()];
  mkdirSync(manifests, { recursive: true });
  const argv = [
    ...["gateway", "--data", data, "--cluster", cluster, "--name", `${cluster}-1`],
    ...["--pod-cidr", "10.244.0.0/16", "--service-cidr", "10.96.0.0/16", "--manifests", manifests],
    ...["--dns", `127.0.0.1:${dns}`, "--http", `127.0.0.1:${http}`],
    ...["--data-plane", "none", "--endpoint", "127.0.0.1"],
  ];
  return { data, manifests, dns, http, argv };
}

/** webService is a Service with one endpoint and its export. */
export function webService(name: string, pod: string): string {
  const metadata = `{name: ${name}, namespace: shop}`;
  return [
    `{apiVersion: v1, kind: Service, metadata: ${metadata}, spec: {ports: [{name: http, port: 80}]}}`,
    `{apiVersion: multicluster.x-k8s.io/v1beta1, kind: ServiceExport, metadata: ${metadata}}`,
    `{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, ` +
      `metadata: {name: ${name}-1, namespace: shop, labels: {kubernetes.io/service-name: ${name}}}, ` +
      `ports: [{name: http, port: 80}], endpoints: [{addresses: [${pod}]}]}`,
    "",
  ].join("\n---\n");
}

export function writeManifest({ manifests }: Pick<GatewayPlace, "manifests">, file: string, text: string): void {
  writeFileSync(join(manifests, file), text);
}

/** until asks again until an answer satisfies; every question is a process or a request, so no pause is needed. */
export async function until<T>(ask: () => Promise<T>, good: (answer: T) => boolean, timeoutMs = 15_000): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (good(answer)) return answer;
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${JSON.stringify(answer)}`);
  }
}

/** commandOf is the command line of a process; empty when it is gone. */
export async function commandOf(pid: number): Promise<string> {
  const said = await runCommand(["ps", "-o", "args=", "-p", String(pid)]);
  return said.ok ? said.value.trim() : "";
}
