import { access, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describeFault, runCommand } from "#life";
import { err, ok, type Result } from "#values";
import { requirePrograms } from "../require.ts";

/** The Kubernetes that tests run against, built from its Go modules: there is no other source of binaries here. */
export const KUBERNETES_VERSION = "1.37.2";

const COMMANDS = ["kube-apiserver", "kube-controller-manager", "kubectl"] as const;

/** KubeTools is where the programs of a control plane are. */
export interface KubeTools {
  readonly apiserver: string;
  readonly controllerManager: string;
  readonly kubectl: string;
  readonly etcd: string;
}

/** Where `make kube-tools` leaves what it builds, once for all checkouts. */
const FOLDER = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "meridian-kube", KUBERNETES_VERSION);

/** findKubeTools looks where envtest's users have them ($KUBEBUILDER_ASSETS), then where `make kube-tools` builds them.
 *  The error says what to do. */
export async function findKubeTools(): Promise<Result<KubeTools>> {
  const assets = process.env["KUBEBUILDER_ASSETS"];
  for (const folder of [assets, FOLDER].filter((path) => path !== undefined)) {
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
  await mkdir(FOLDER, { recursive: true });
  const wanted: string[] = [];
  for (const name of COMMANDS) if (!(await exists(join(FOLDER, name)))) wanted.push(name);
  if (wanted.length === 0) return ok(undefined);
  const module = join(FOLDER, "module");
  const made = await makeModule(module);
  if (!made.ok) return made;
  const [, minor = ""] = KUBERNETES_VERSION.split(".");
  const stamp = "-X k8s.io/component-base/version";
  const flags = `-s -w ${stamp}.gitVersion=v${KUBERNETES_VERSION} ${stamp}.gitMajor=1 ${stamp}.gitMinor=${minor}`;
  for (const name of wanted) {
    say(`building ${name} ${KUBERNETES_VERSION} from its Go module (minutes, once)`);
    const out = join(FOLDER, name);
    const built = await go(module, [
      "build",
      "-trimpath",
      `-ldflags=${flags}`,
      "-o",
      out,
      `k8s.io/kubernetes/cmd/${name}`,
    ]);
    if (!built.ok) return built;
  }
  await rm(module, { recursive: true });
  return ok(undefined);
}

/** A module that requires Kubernetes must repeat its replacements: what stands in its staging folder is published as
 *  modules of their own. */
async function makeModule(folder: string): Promise<Result<void>> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "go.mod"), "module meridian/kubetools\n");
  const found = await go(folder, ["mod", "download", "-json", `k8s.io/kubernetes@v${KUBERNETES_VERSION}`]);
  if (!found.ok) return found;
  const { Dir } = JSON.parse(found.value) as { readonly Dir: string };
  const theirs = await readFile(join(Dir, "go.mod"), "utf8");
  const staged = [...theirs.matchAll(/^\s*(k8s\.io\/[a-z0-9-]+) => \.\/staging\//gm)].map(([, name]) => name ?? "");
  const keep = theirs.split("\n").filter((line) => /^go 1|^godebug /.test(line));
  const version = `v0.${KUBERNETES_VERSION.slice("1.".length)}`;
  const text = [
    "module meridian/kubetools",
    ...keep,
    `require k8s.io/kubernetes v${KUBERNETES_VERSION}`,
    "replace (",
    ...staged.map((name) => `\t${name} => ${name} ${version}`),
    ")",
  ];
  await writeFile(join(folder, "go.mod"), `${text.join("\n")}\n`);
  const imports = COMMANDS.map((name) => `\t_ "k8s.io/kubernetes/cmd/${name}"`).join("\n");
  await writeFile(join(folder, "tools.go"), `//go:build tools\n\npackage tools\n\nimport (\n${imports}\n)\n`);
  const tidy = await go(folder, ["mod", "tidy"]);
  return tidy.ok ? ok(undefined) : tidy;
}

async function go(folder: string, args: readonly string[]): Promise<Result<string>> {
  const find = 'cd "$0" && PATH="$PATH:/usr/local/go/bin" CGO_ENABLED=0 exec nice go "$@"';
  const done = await runCommand(["sh", "-c", find, folder, ...args]);
  return done.ok ? done : err(describeFault(done.error));
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
