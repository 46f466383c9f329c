import { constants } from "node:fs";
import { access, open, readFile } from "node:fs/promises";
import { release } from "node:os";
import { join } from "node:path";
import { err, ok, type Result } from "#values";
import { outside } from "./outside.ts";

/** DataPlaneMode is what a user asks for; `auto` takes the kernel's WireGuard where there is one. */
export type DataPlaneMode = "auto" | "kernel" | "userspace" | "none";

/** DataPlane is what was found. */
export interface DataPlane {
  readonly mode: "kernel" | "userspace" | "none";
  /** `kernel`, or the path of wireguard-go. */
  readonly implementation: string;
  readonly version: string | null;
}

export interface DataPlaneAsk {
  readonly mode: DataPlaneMode;
  /** A path given by hand. */
  readonly wireguardGo: string | null;
  /** $PATH. */
  readonly path: string;
}

/** TRY_LINK is none of mrd0 to mrd7, which may be in use by the daemon that we are about to follow. */
const TRY_LINK = "mrd-try";
/** Number of the capability in linux/capability.h. */
const CAP_NET_ADMIN = 12n;
const NO_RIGHT = "missing: CAP_NET_ADMIN; run as root, or give the container the capability NET_ADMIN";
const INSTALL_TOOLS = "apt-get install -y iproute2 wireguard-tools";

/** chooseDataPlane finds the WireGuard to use. The error is one line with what is missing and the remedy. */
export async function chooseDataPlane(ask: DataPlaneAsk): Promise<Result<DataPlane>> {
  if (ask.mode === "none") return ok({ mode: "none", implementation: "none", version: null });
  for (const tool of ["ip", "wg"]) {
    if ((await onPath(tool, ask.path)) === null) return err(`missing: ${tool}; run: ${INSTALL_TOOLS}`);
  }
  if (!hasNetAdmin(await readFile("/proc/self/status", "utf8"))) return err(NO_RIGHT);
  const kernel = ask.mode === "userspace" ? err("not asked for") : await tryKernel();
  if (kernel.ok || ask.mode === "kernel" || kernel.error === NO_RIGHT) return kernel;
  return chooseUserspace(ask);
}

/** hasNetAdmin reads the effective capabilities in /proc/PID/status (capabilities(7)). */
export function hasNetAdmin(status: string): boolean {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  return ((BigInt(`0x${mask}`) >> CAP_NET_ADMIN) & 1n) === 1n;
}

/** tryKernel adds a throw-away link, which loads the module where there is one, and deletes it. */
async function tryKernel(): Promise<Result<DataPlane>> {
  const added = await outside(["ip", "link", "add", "dev", TRY_LINK, "type", "wireguard"]);
  if (!added.ok && /not permitted/.test(added.error)) return err(NO_RIGHT);
  if (!added.ok && !/File exists/.test(added.error)) {
    // "Unknown device type" or "Operation not supported": no module, or none that may be loaded from here.
    return err("missing: WireGuard in the kernel; run: modprobe wireguard, or use --data-plane userspace");
  }
  await outside(["ip", "link", "del", "dev", TRY_LINK]);
  return ok({ mode: "kernel", implementation: "kernel", version: release() });
}

/** chooseUserspace takes the program given by hand, else the one on the PATH, if it runs and may open a TUN device. */
async function chooseUserspace({ wireguardGo, path }: DataPlaneAsk): Promise<Result<DataPlane>> {
  const program = wireguardGo ?? (await onPath("wireguard-go", path));
  if (program === null) {
    return err("missing: WireGuard in the kernel, and wireguard-go; run: apt-get install -y wireguard-go");
  }
  const said = await outside([program, "--version"]);
  if (!said.ok) return err(`--wireguard-go ${program}: ${said.error}`);
  const tun = await tunFault();
  if (tun !== null) return err(tun);
  const version = /wireguard-go v?(\S+)/.exec(said.value)?.[1] ?? null;
  return ok({ mode: "userspace", implementation: program, version });
}

/** tunFault opens the device that wireguard-go will open: a container may have the file without the right to use it. */
async function tunFault(): Promise<string | null> {
  try {
    await using _file = await open("/dev/net/tun", "r+");
    return null;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    const remedy = code === "ENOENT" ? "mkdir -p /dev/net && mknod /dev/net/tun c 10 200" : "modprobe tun";
    return code === "EACCES" || code === "EPERM"
      ? "missing: the right to open /dev/net/tun; run as root, or give the container that device"
      : `missing: /dev/net/tun; run: ${remedy}, or give the container that device`;
  }
}

/** onPath finds an executable as execvp would; null where there is none. */
async function onPath(program: string, path: string): Promise<string | null> {
  for (const folder of path.split(":").filter((text) => text !== "")) {
    const file = join(folder, program);
    const found = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  return null;
}
