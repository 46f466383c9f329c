import { rm } from "node:fs/promises";
import { join } from "node:path";
import { err, type Result } from "#values";
import { writeImage } from "../../deploy/image/write-image.ts";
import { COREDNS_VERSION } from "./coredns.ts";
import { type ImageRoot, makeImageRoot } from "./image-root.ts";

/** IMAGES are the names of the images that every cluster has. None is ever pulled. */
export const IMAGES = {
  /** What the kubelet puts into every pod. */
  pause: "registry.k8s.io/pause:3.10",
  /** Kubernetes' own test program: `netexec`, `pause` and others; with a shell. */
  agnhost: "registry.k8s.io/e2e-test-images/agnhost:2.66.1",
  /** A client: a shell, curl and dig. */
  net: "localhost/net:1",
  coredns: `registry.k8s.io/coredns/coredns:v${COREDNS_VERSION}`,
} as const;
export type ImageName = keyof typeof IMAGES;

/** ImagePrograms is where the programs are that images are made of. */
export interface ImagePrograms {
  readonly agnhost: string;
  readonly coredns: string;
}

const ENVIRONMENT = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"];

/** The sandbox is ended by SIGKILL, and has nobody's children but in a pod that shares its pids. */
const PAUSE = { Entrypoint: ["/usr/bin/busybox", "sleep", "2147483647"], User: "65535:65535" };

/** Whoever is pid 1 hears only the signals that it asks for. */
const IDLE = ["sh", "-c", "trap exit TERM; sleep 2147483647 & wait"];

/** archiveOf is the file of an image below a folder. Its name changes with the image's. */
export function archiveOf(folder: string, name: ImageName): string {
  return join(folder, `${name}-${IMAGES[name].split(":").at(-1)}.tar`);
}

/** buildImage makes one into `archiveOf(folder, name)`. */
export async function buildImage(
  folder: string,
  name: ImageName,
  { agnhost, coredns }: ImagePrograms,
): Promise<Result<void>> {
  const recipes: Readonly<
    Record<ImageName, { readonly add: readonly string[]; readonly config: Readonly<Record<string, unknown>> }>
  > = {
    pause: { add: [], config: PAUSE },
    agnhost: { add: [agnhost], config: { Entrypoint: ["/usr/bin/agnhost"], Cmd: ["pause"], Env: ENVIRONMENT } },
    net: { add: ["curl", "dig"], config: { Cmd: IDLE, Env: ENVIRONMENT } },
    coredns: { add: [coredns], config: { Entrypoint: ["/usr/bin/coredns"], Env: ENVIRONMENT } },
  };
  const { add, config } = recipes[name];
  const root = await makeImageRoot();
  try {
    await fill(root, add);
    return await writeImage({ root: root.folder, config, tags: [IMAGES[name]], out: archiveOf(folder, name) });
  } catch (reason) {
    return err(`image ${name}: ${reason instanceof Error ? reason.message : String(reason)}`);
  } finally {
    await rm(root.folder, { recursive: true });
  }
}

async function fill(root: ImageRoot, programs: readonly string[]): Promise<void> {
  for (const program of programs) await root.add(program);
  await root.addBusybox();
}
