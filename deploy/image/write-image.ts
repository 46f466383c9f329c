import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describeFault, runCommand } from "#life";
import { err, ok, type Result } from "#values";

/** ImageSpec is an image of one layer. */
export interface ImageSpec {
  /** Folder that becomes the root of the image. */
  readonly root: string;
  /** `config` of the image (Docker Image Specification v1.2): Entrypoint, Cmd, Env, User… */
  readonly config: Readonly<Record<string, unknown>>;
  /** Names, as `meridian:dev`. */
  readonly tags: readonly string[];
  /** The archive that is written. */
  readonly out: string;
}

/** Names of processors as images have them (Go's). */
const ARCHITECTURE: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };
/** Equal folders give equal images: no time, no owner, one order. */
const SAME = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--format=gnu"];

/** writeImage writes a docker archive, as `docker save` does, which `ctr images import` and `docker load` take. It needs
 *  GNU tar, and neither docker nor a registry. The archive appears whole or not at all. */
export async function writeImage({ root, config, tags, out }: ImageSpec): Promise<Result<void>> {
  await mkdir(dirname(out), { recursive: true });
  const work = await mkdtemp(join(dirname(out), ".image-"));
  try {
    const layer = await tar(root, join(work, "layer.tar"), ["."]);
    if (!layer.ok) return layer;
    const digest = await sha256(join(work, "layer.tar"));
    const description = JSON.stringify(describe(config, digest));
    const name = `${createHash("sha256").update(description).digest("hex")}.json`;
    await writeFile(join(work, name), description);
    const manifest = [{ Config: name, RepoTags: tags, Layers: ["layer.tar"] }];
    await writeFile(join(work, "manifest.json"), JSON.stringify(manifest));
    const whole = await tar(work, join(work, "image.tar"), [name, "layer.tar", "manifest.json"]);
    if (!whole.ok) return whole;
    await rename(join(work, "image.tar"), out);
    return ok(undefined);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function describe(config: ImageSpec["config"], digest: string): object {
  const created = "1970-01-01T00:00:00Z";
  return {
    architecture: ARCHITECTURE[process.arch] ?? process.arch,
    os: "linux",
    created,
    config,
    rootfs: { type: "layers", diff_ids: [`sha256:${digest}`] },
    history: [{ created }],
  };
}

async function tar(folder: string, file: string, names: readonly string[]): Promise<Result<void>> {
  const done = await runCommand(["tar", ...SAME, "-C", folder, "-cf", file, ...names]);
  return done.ok ? ok(undefined) : err(describeFault(done.error));
}

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
