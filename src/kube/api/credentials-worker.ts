import type { RequestOptions } from "node:https";
import { parentPort, workerData } from "node:worker_threads";
import { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { err, ok, type Result } from "#values";
import type { KubeAccess } from "./access.ts";
import type { Credentials, CredentialsAnswer } from "./credentials.ts";
import { kubeconfigFault } from "./kubeconfig-fault.ts";

/** This thread reads one kubeconfig, logs in as it says, answers, and is ended. */

async function load(access: Extract<KubeAccess, { kind: "kubeconfig" }>): Promise<Result<Credentials>> {
  const fault = kubeconfigFault(access);
  if (fault !== null) return err(fault);
  const config = new KubeConfig();
  config.loadFromFile(access.file);
  if (access.context !== null) config.setCurrentContext(access.context);
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const headers = new Headers(options.headers as Record<string, string> | undefined);
  const basic = options.auth == null ? null : `Basic ${Buffer.from(options.auth).toString("base64")}`;
  const provider = config.getCurrentUser()?.authProvider as { config?: { tokenFile?: string } } | undefined;
  return ok({
    server: config.getCurrentCluster()?.server ?? "",
    ca: pem(options.ca),
    cert: pem(options.cert),
    key: pem(options.key),
    servername: options.servername ?? null,
    insecure: options.rejectUnauthorized === false,
    authorization: headers.get("authorization") ?? basic,
    tokenFile: provider?.config?.tokenFile ?? null,
  });
}

function pem(value: unknown): string | null {
  return value == null ? null : Buffer.isBuffer(value) ? value.toString("utf8") : String(value);
}

function answer(message: CredentialsAnswer): void {
  parentPort?.postMessage(message);
}

load(workerData as Extract<KubeAccess, { kind: "kubeconfig" }>).then(answer, (error: unknown) =>
  answer(err(error instanceof Error ? error.message : String(error))),
);
