import { access, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { err, ok, type Result } from "#values";
import { requirePrograms } from "../require.ts";
import { buildPrograms, KUBERNETES_FOLDER } from "./go-module.ts";

const COMMANDS = ["kube-apiserver", "kube-controller-manager", "kubectl"] as const;

/** KubeTools is where the programs of a control plane are. */
export interface KubeTools {
  readonly apiserver: string;
  readonly controllerManager: string;
  readonly kubectl: string;
  readonly etcd: string;
}

/** findKubeTools looks where envtest's users have them ($KUBEBUILDER_ASSETS), then where `make kube-tools` builds them.
 *  The error says what to do. */
export async function findKubeTools(): Promise<Result<KubeTools>> {
  const assets = process.env["KUBEBUILDER_ASSETS"];
  for (const folder of [assets, KUBERNETES_FOLDER].filter((path) => path !== undefined)) {
    const etcd = (await exists(join(folder, "etcd"))) ? join(folder, "etcd") : "/usr/bin/etcd";
    const paths = [...COMMANDS.map((name) => join(folder, name)), etcd];
    if ((await Promise.all(paths.map(exists))).every(Boolean)) {
      const [apiserver = "", controllerManager = "", kubectl = ""] = paths;
      return ok({ apiserver, controllerManager, kubectl, etcd });
    }
  }
  return err("no Kubernetes to test against: run `make kube-tools` (needs Go, etcd-server by apt, and ten minutes)");
}

/** buildKubeTools builds what is missing. `say` hears of each program, which takes minutes. */
export async function buildKubeTools(say: (line: string) => void): Promise<Result<void>> {
  await mkdir(KUBERNETES_FOLDER, { recursive: true });
  const wanted: string[] = [];
  for (const name of COMMANDS) if (!(await exists(join(KUBERNETES_FOLDER, name)))) wanted.push(name);
  if (wanted.length === 0) return ok(undefined);
  const module = join(KUBERNETES_FOLDER, "module");
  const programs = wanted.map((name) => ({ name, path: `cmd/${name}` }));
  const built = await buildPrograms(module, programs, say);
  if (!built.ok) return built;
  await rm(module, { recursive: true });
  return ok(undefined);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

// `make kube-tools` runs this file.
if (import.meta.main) {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const programs = await requirePrograms(say, ["etcd"]);
  const built = programs.ok ? await buildKubeTools(say) : programs;
  if (!built.ok) {
    process.stderr.write(`make kube-tools: ${built.error}\n`);
    process.exitCode = 1;
  }
}
