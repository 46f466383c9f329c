import { spawn } from "node:child_process";
import { once } from "node:events";
import { runCommand } from "#life";
import { err, ok, type Result } from "#values";

/** Outside programs that the laboratory and the program call, and Debian's package of each. util-linux is essential. */
const PACKAGE_OF: Readonly<Record<string, string>> = {
  ip: "iproute2",
  nft: "nftables",
  wg: "wireguard-tools",
  "wireguard-go": "wireguard-go",
  conntrack: "conntrack",
  ping: "iputils-ping",
  unshare: "util-linux",
  nsenter: "util-linux",
  setsid: "util-linux",
};

/** Programs that only tests and benchmarks call; whoever needs some of them asks for them by name. */
const PACKAGE_OF_EXTRA = {
  "/usr/lib/cni/bridge": "containernetworking-plugins",
  busybox: "busybox-static",
  containerd: "containerd",
  curl: "curl",
  dig: "bind9-dnsutils",
  etcd: "etcd-server",
  iperf3: "iperf3",
  iptables: "iptables",
  runc: "runc",
  sockperf: "sockperf",
  strace: "strace",
  tcpdump: "tcpdump",
} as const;
export type ExtraProgram = keyof typeof PACKAGE_OF_EXTRA;

const APT_GET = ["apt-get", "install", "-y", "--no-install-recommends"];
const APT_PACKAGES = ["wireguard-tools", "wireguard-go", "nftables", "iproute2", "conntrack", "iputils-ping"];

/** One shell asks for all of them; `command -v` is POSIX, `which` is not always there. */
const FIND = 'PATH="$PATH:/usr/sbin:/sbin"; for p in "$@"; do command -v "$p" > /dev/null || echo "$p"; done';

/** aptCommand is the one command that brings everything; what it does not name is essential in Debian. */
export function aptCommand(extra: readonly ExtraProgram[] = []): readonly string[] {
  return [...APT_GET, ...APT_PACKAGES, ...extra.map((name) => PACKAGE_OF_EXTRA[name])];
}

/** missingPrograms lists all outside programs that this machine lacks. */
export async function missingPrograms(extra: readonly ExtraProgram[] = []): Promise<readonly string[]> {
  const wanted = [...Object.keys(PACKAGE_OF), ...extra];
  const found = await runCommand(["sh", "-c", FIND, "sh", ...wanted]);
  return found.ok ? found.value.split("\n").filter((name) => name !== "") : wanted;
}

/** describeMissing is the line that says what to do about missing programs. */
export function describeMissing(missing: readonly string[], extra: readonly ExtraProgram[] = []): string {
  return `missing: ${missing.join(", ")}. Run as root: ${aptCommand(extra).join(" ")}`;
}

/** requirePrograms installs what is missing where it may (as root, with apt-get); else the error is the line that
 *  says the one command. `say` hears of anything that takes longer than a second. */
export async function requirePrograms(
  say: (line: string) => void,
  extra: readonly ExtraProgram[] = [],
): Promise<Result<void>> {
  const missing = await missingPrograms(extra);
  if (missing.length === 0) return ok(undefined);
  const mayInstall = process.getuid?.() === 0 && (await runCommand(["apt-get", "--version"])).ok;
  if (!mayInstall) return err(describeMissing(missing, extra));
  say(`installing ${missing.join(", ")} by apt-get (once, about 20 seconds)`);
  // An extra that is there may be of another package (Docker's containerd), which this one would drive out.
  const command = aptCommand(extra.filter((name) => missing.includes(name)));
  if (!(await runApt(command))) {
    say("reading the package lists first (apt-get update)");
    await runApt(["apt-get", "update"]);
    await runApt(command);
  }
  const left = await missingPrograms(extra);
  return left.length === 0 ? ok(undefined) : err(describeMissing(left, extra));
}

/** apt-get asks nobody anything, and is quiet unless it fails. */
async function runApt([program = "", ...args]: readonly string[]): Promise<boolean> {
  const quiet = ["DEBIAN_FRONTEND=noninteractive", program, "-q", ...args];
  const child = spawn("env", quiet, { stdio: ["ignore", "ignore", "inherit"] });
  const [code] = (await once(child, "exit")) as [number | null];
  return code === 0;
}

// `make` runs this file before anything that needs the programs.
if (import.meta.main) {
  const done = await requirePrograms((line) => process.stderr.write(`${line}\n`));
  if (!done.ok) {
    process.stderr.write(`${done.error}\n`);
    process.exitCode = 1;
  }
}
