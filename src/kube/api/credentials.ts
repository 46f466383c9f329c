import { readFile } from "node:fs/promises";
import { isIPv6 } from "node:net";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { aborted } from "#life";
import { err, ok, type Result } from "#values";
import { describeAccess, type KubeAccess, SERVICE_ACCOUNT } from "./access.ts";

/** Credentials is what a TLS connection to an API server needs: plain data. Absent values are null. */
export interface Credentials {
  /** `https://HOST:PORT`, perhaps with a path. */
  readonly server: string;
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly servername: string | null;
  /** Whether the server's certificate is not to be checked: only where a kubeconfig says so. */
  readonly insecure: boolean;
  /** Value of the Authorization header. */
  readonly authorization: string | null;
  /** File of a bearer token that is replaced now and then, as a service account's is. */
  readonly tokenFile: string | null;
}

/** What the thread that reads a kubeconfig answers. */
export type CredentialsAnswer = Result<Credentials>;

/** loadCredentials finds out how to reach an API server and as whom. A kubeconfig may have programs run and tokens
 *  renewed; that is left to Kubernetes' own client, in a thread of its own that ends afterwards: it would cost a gateway
 *  80 MiB for as long as it runs. */
export async function loadCredentials(access: KubeAccess, signal: AbortSignal): Promise<Result<Credentials>> {
  const loaded = access.kind === "in-cluster" ? await ofPod(access) : await ofKubeconfig(access, signal);
  return loaded.ok ? loaded : err(`${describeAccess(access)}: ${loaded.error}`);
}

async function ofPod({ host, port }: Extract<KubeAccess, { kind: "in-cluster" }>): Promise<Result<Credentials>> {
  try {
    const ca = await readFile(join(SERVICE_ACCOUNT, "ca.crt"), "utf8");
    const server = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
    const tokenFile = join(SERVICE_ACCOUNT, "token");
    const none = { cert: null, key: null, servername: null, authorization: null };
    return ok({ server, ca, ...none, insecure: false, tokenFile });
  } catch (error) {
    return err(`${(error as Error).message}: the pod needs a service account with automountServiceAccountToken`);
  }
}

/** How long a program that a kubeconfig names may take to log in. */
const LOGIN_MS = 60_000;

async function ofKubeconfig(
  workerData: Extract<KubeAccess, { kind: "kubeconfig" }>,
  signal: AbortSignal,
): Promise<Result<Credentials>> {
  const worker = new Worker(new URL("./credentials-worker.ts", import.meta.url), { workerData });
  const late = AbortSignal.timeout(LOGIN_MS);
  try {
    return await Promise.race([
      answerOf(worker),
      aborted(AbortSignal.any([signal, late])).then(() => err(`no login within ${LOGIN_MS / 1000} s`)),
    ]);
  } finally {
    await worker.terminate();
  }
}

function answerOf(worker: Worker): Promise<Result<Credentials>> {
  return new Promise((resolve) => {
    worker.once("message", (answer: CredentialsAnswer) => resolve(answer));
    worker.once("error", (error: Error) => resolve(err(error.message)));
    worker.once("exit", (code) => resolve(err(`the thread that reads it ended with ${code}`)));
  });
}
