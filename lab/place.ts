import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MARK } from "./processes.ts";
import type { Run } from "./run.ts";

/** Place is somewhere to run commands: a network, mount and host-name namespace of its own, held by one process.
 *  It has no entry in /run/netns, so nothing outlives its processes. */
export interface Place {
  readonly run: Run;
  /** Unique within the run; also its host name. */
  readonly name: string;
  /** Holder of the namespaces: `nsenter -t PID -n -m -u` goes in. */
  readonly pid: number;
}

/** /run is private: wireguard-go keeps one control socket per interface name there, and two gateways of one machine
 *  would take each other's. /sys is mounted anew because it shows the network namespace that it was mounted in. */
const HOLDER = `set -e
export PATH="$PATH:/usr/sbin:/sbin"
hostname "$1"
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/wireguard /run/netns
mount -t sysfs sysfs /sys 2>/dev/null || true
target=$(readlink -m /etc/resolv.conf)
mkdir -p "$(dirname "$target")"
[ -e "$target" ] || : > "$target"
mount --bind "$2" "$target"
ip link set lo up
echo ready
exec sleep infinity > /dev/null 2>&1
`;

/** createPlace makes a place whose /etc/resolv.conf names one DNS server. Throws with the reason when the machine
 *  does not allow namespaces: without places there is no laboratory. */
export async function createPlace(run: Run, name: string, nameserver: string): Promise<Place> {
  const resolv = join(run.folder, "etc", `${name}.resolv.conf`);
  await writeFile(resolv, `nameserver ${nameserver}\noptions timeout:1 attempts:2\n`, { mode: 0o644 });
  const log = join(run.folder, "log", `${name}.holder.log`);
  const namespaces = ["unshare", "--net", "--mount", "--uts", "--propagation", "private"];
  const child = spawn("env", [`${MARK}=${run.folder}`, ...namespaces, "sh", "-c", HOLDER, "sh", name, resolv], {
    detached: true, // signals of the terminal are for the owner alone
    stdio: ["ignore", "pipe", openSync(log, "a")],
  });
  const stdout = child.stdout;
  if (stdout === null || child.pid === undefined) throw new Error(`place ${name}: unshare cannot be started`);
  const ready = await Promise.race([once(stdout, "data").then(() => true), once(child, "exit").then(() => false)]);
  if (!ready) throw new Error(`place ${name}: ${(await readFile(log, "utf8")).trim()}`);
  stdout.destroy();
  child.unref();
  return { run, name, pid: child.pid };
}
