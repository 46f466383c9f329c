import { existsSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { err, ok, type Result } from "#values";
import { requirePrograms } from "../../lab/require.ts";
import { addFolder, addProgram, dependenciesIn, makeRoot } from "./root-folder.ts";
import { writeImage } from "./write-image.ts";

const CHECKOUT = fileURLToPath(new URL("../../", import.meta.url));
const DEV: ImageName = { file: "meridian-image.tar", tag: "meridian:dev", version: null };

/** ImageName is what an image is called, and the version that the program in it calls itself. */
export interface ImageName {
  /** Below build/. */
  readonly file: string;
  readonly tag: string;
  /** Null: the checkout's. */
  readonly version: string | null;
}

/** What the program calls, and what the scripts of the image need. */
const PROGRAMS = ["ip", "nft", "wg", "conntrack", "mkfifo", "sleep"];
/** Not needed to run: tests and what only they use, and what is for the checkout. */
const TESTS = /\.(test|host|kube|long|nodes)\.ts$|\/(testbed|fake-|example-)[^/]*\.ts$|-contract\.ts$/;
const TOOLS = /@biomejs|node-linux-|@types\//;

/** buildImage writes the image of this checkout, and gives the archive's path. `say` hears of each step. */
export async function buildImage(say: (line: string) => void, name: ImageName = DEV): Promise<Result<string>> {
  const out = join(CHECKOUT, "build", name.file);
  const root = await mkdtemp(join(tmpdir(), "meridian-image-"));
  try {
    await makeRoot(root);
    say("gathering the program, its packages and the programs it calls");
    const gathered = await gather(root, name);
    if (!gathered.ok) return gathered;
    say(`writing ${out}`);
    const entry = { Entrypoint: ["/usr/local/bin/meridian"], User: "65532:65532", WorkingDir: "/" };
    const env = ["PATH=/usr/local/bin:/usr/sbin:/usr/bin", "MALLOC_ARENA_MAX=2", "MALLOC_TRIM_THRESHOLD_=65536"];
    const config = { ...entry, Env: [...env, "NODE_COMPILE_CACHE=/tmp/compile"] };
    const written = await writeImage({ root, config, tags: [name.tag], out });
    return written.ok ? ok(out) : written;
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function gather(root: string, { version }: ImageName): Promise<Result<void>> {
  const home = join(root, "opt/meridian");
  const built = join(CHECKOUT, "build", "wireguard-go");
  for (const program of PROGRAMS) {
    const added = await addProgram(root, program);
    if (!added.ok) return added;
  }
  const added = [
    await addProgram(root, "dash", "usr/bin/sh"),
    await addProgram(root, existsSync(built) ? built : "wireguard-go", "usr/local/bin/wireguard-go"),
    await addProgram(root, process.execPath, "opt/meridian/node"),
  ].find((one) => !one.ok);
  if (added !== undefined) return added;
  await addFolder(join(CHECKOUT, "src"), join(home, "src"), TESTS);
  await addFolder(join(CHECKOUT, "deploy"), join(home, "deploy"), /\/(image|helm)(\/|$)/);
  const manifest = JSON.parse(await readFile(join(CHECKOUT, "package.json"), "utf8")) as { readonly version: string };
  const named = { ...manifest, version: version ?? manifest.version };
  await writeFile(join(home, "package.json"), JSON.stringify(named));
  for (const path of await dependenciesIn(join(CHECKOUT, "package-lock.json"))) {
    const from = join(CHECKOUT, path);
    if (!TOOLS.test(path) && existsSync(from))
      await addFolder(from, join(home, path), /\.(map|d\.ts|d\.cts|d\.mts|md)$/);
  }
  for (const script of ["meridian", "wireguard-keeper", "wireguard-in-pod"]) {
    const to = join(root, "usr/local/bin", script);
    await addFolder(join(CHECKOUT, "deploy/image", script), to);
    await chmod(to, 0o755);
  }
  await symlink("meridian", join(root, "usr/local/bin/kubectl-meridian"));
  await chmod(join(root, "tmp"), 0o1777);
  return ok(undefined);
}

// `make image` runs this file.
if (import.meta.main) {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const programs = await requirePrograms(say);
  const image = programs.ok ? await buildImage(say) : err(programs.error);
  if (image.ok) process.stdout.write(`${image.value}: ${DEV.tag}\n`);
  else process.stderr.write(`make image: ${image.error}\n`);
  process.exitCode = image.ok ? 0 : 1;
}
