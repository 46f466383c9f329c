import { spawn } from "node:child_process";
import { once } from "node:events";
import { runCommand } from "#life";
import { err, ok, type Result } from "#values";

/** Rights is how this process may make namespaces: as the root that it is, or only as root of a user namespace of its own. */
export type Rights = "root" | "user-namespace";

/** The namespaces that every place has; a container without CAP_SYS_ADMIN fails here. */
const TRY = ["unshare", "--net", "--mount", "--propagation", "private"];
const TRY_USER = ["unshare", "-Urnm", "--map-root-user", "--propagation", "private"];
/** Kernel WireGuard, or the device with which wireguard-go makes its interfaces. Opening it needs no more than that. */
const TUNNELS = "PATH=$PATH:/usr/sbin:/sbin; ip link add name wgtry type wireguard 2>/dev/null || : <> /dev/net/tun";

/** What is missing and what to do, by the way in which namespaces can be had. */
const NO_TUNNELS: Readonly<Record<Rights, string>> = {
  root: "no tunnels: this kernel has no WireGuard, and /dev/net/tun cannot be opened: run modprobe tun, or give the container /dev/net/tun",
  "user-namespace":
    "no tunnels: this kernel has no WireGuard, and this user may not open /dev/net/tun: run as root, or chmod 0666 /dev/net/tun",
};

/** findRights tries what the laboratory does, in namespaces that end at once. The error is one line with the remedy. */
export async function findRights(): Promise<Result<Rights>> {
  for (const [rights, argv] of [
    ["root", TRY],
    ["user-namespace", TRY_USER],
  ] as const) {
    if (!(await runCommand([...argv, "true"])).ok) continue;
    return (await runCommand([...argv, "sh", "-c", TUNNELS])).ok ? ok(rights) : err(NO_TUNNELS[rights]);
  }
  return err(
    "no namespaces: run as root with CAP_SYS_ADMIN and CAP_NET_ADMIN, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1)",
  );
}

/** enterUserNamespace runs a script of this checkout again as root of a user namespace, and gives its exit code. */
export async function enterUserNamespace(script: string, args: readonly string[]): Promise<number> {
  const [program = "", ...rest] = [...TRY_USER, process.execPath, script, ...args];
  const child = spawn(program, rest, { stdio: "inherit" });
  process.on("SIGINT", () => {}); // the terminal tells both; the one inside cleans up, and then this one ends
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? 1;
}
