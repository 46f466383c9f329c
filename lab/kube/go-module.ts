import { mkdir, readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describeFault, runCommand } from "#life";
import { err, ok, type Result } from "#values";

/** The Kubernetes that tests run against, built from its Go modules: there is no other source of binaries here. */
export const KUBERNETES_VERSION = "1.37.2";

/** Where what is built stays, once for all checkouts. */
export const KUBERNETES_FOLDER = join(
  process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"),
  "meridian-kube",
  KUBERNETES_VERSION,
);

/** KubeProgram is a program of Kubernetes: its file and its package below k8s.io/kubernetes. */
export interface KubeProgram {
  readonly name: string;
  readonly path: string;
}

const [, MINOR = ""] = KUBERNETES_VERSION.split(".");
const STAMP = "-X k8s.io/component-base/version";
const FLAGS = `-s -w ${STAMP}.gitVersion=v${KUBERNETES_VERSION} ${STAMP}.gitMajor=1 ${STAMP}.gitMinor=${MINOR}`;

/** buildPrograms builds some programs of Kubernetes into KUBERNETES_FOLDER. `folder` is that of the module, which is
 *  made there; `say` hears of each program, which takes minutes. */
export async function buildPrograms(
  folder: string,
  programs: readonly KubeProgram[],
  say: (line: string) => void,
): Promise<Result<void>> {
  const made = await makeModule(
    folder,
    programs.map(({ path }) => path),
  );
  if (!made.ok) return made;
  for (const { name, path } of programs) {
    say(`building ${name} ${KUBERNETES_VERSION} from its Go module (minutes, once)`);
    const out = join(KUBERNETES_FOLDER, name);
    const built = await go(folder, ["build", "-trimpath", `-ldflags=${FLAGS}`, "-o", out, `k8s.io/kubernetes/${path}`]);
    if (!built.ok) return built;
  }
  return ok(undefined);
}

/** A module that requires Kubernetes must repeat its replacements: what stands in its staging folder is published as
 *  modules of their own. */
async function makeModule(folder: string, paths: readonly string[]): Promise<Result<void>> {
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
  const imports = paths.map((path) => `\t_ "k8s.io/kubernetes/${path}"`).join("\n");
  await writeFile(join(folder, "tools.go"), `//go:build tools\n\npackage tools\n\nimport (\n${imports}\n)\n`);
  const tidy = await go(folder, ["mod", "tidy"]);
  return tidy.ok ? ok(undefined) : tidy;
}

async function go(folder: string, args: readonly string[]): Promise<Result<string>> {
  const find = 'cd "$0" && PATH="$PATH:/usr/local/go/bin" CGO_ENABLED=0 exec nice go "$@"';
  const done = await runCommand(["sh", "-c", find, folder, ...args]);
  return done.ok ? done : err(describeFault(done.error));
}
