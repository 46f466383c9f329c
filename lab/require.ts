import { spawn } from "node:child_process";
import { once } from "node:events";
import { runCommand } from "#life";
import { err, ok, type Result } from "#values";

/** Outside programs that the laboratory and the program call, and Debian's package of each. */
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

/** The one command that brings all of them; the rest is essential in Debian. */
export const APT_COMMAND =
  "apt-get install -y --no-install-recommends wireguard-tools wireguard-go nftables iproute2 conntrack iputils-ping";

/** One shell asks for all of them; `command -v` is POSIX, `which` is not always there. */
const FIND = 'PATH="$PATH:/usr/sbin:/sbin"; for p in "$@"; do command -v "$p" > /dev/null || echo "$p"; done';

/** missingPrograms lists all outside programs that this machine lacks. */
export async function missingPrograms(): Promise<readonly string[]> {
  const found = await runCommand(["sh", "-c", FIND, "sh", ...Object.keys(PACKAGE_OF)]);
  return found.ok ? found.value.split("\n").filter((name) => name !== "") : Object.keys(PACKAGE_OF);
}

/** describeMissing is the line that says what to do about missing programs. */
export function describeMissing(missing: readonly string[]): string {
  const packages = new Set(missing.map((name) => PACKAGE_OF[name] ?? name));
  return `missing: ${missing.join(", ")} (${[...packages].join(", ")}). Run as root: ${APT_COMMAND}`;
}

/** requirePrograms installs what is missing where it may (as root, with apt-get); else the error is the line that
 *  says the one command. `say` hears of anything that takes longer than a second. */
export async function requirePrograms(say: (line: string) => void): Promise<Result<void>> {
  const missing = await missingPrograms();
  if (missing.length === 0) return ok(undefined);
  if (process.getuid?.() !== 0 || !(await runCommand(["apt-get", "--version"])).ok)
    return err(describeMissing(missing));
  say(`installing ${missing.join(", ")} by apt-get (once, about 20 seconds)`);
  const [program = "", ...args] = APT_COMMAND.split(" ");
  if (!(await runApt([program, ...args]))) {
    say("reading the package lists first (apt-get update)");
    await runApt(["apt-get", "update", "-q"]);
    await runApt([program, ...args]);
  }
  const left = await missingPrograms();
  return left.length === 0 ? ok(undefined) : err(describeMissing(left));
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
