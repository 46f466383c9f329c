import { runCommand } from "#life";
import { err, ok, type Result } from "#values";

/** Programs that are measured beside ours, and their Debian packages. */
const PACKAGES: Readonly<Record<string, string>> = {
  sockperf: "sockperf",
  iperf3: "iperf3",
  nsd: "nsd",
  taskset: "util-linux",
  "/usr/lib/frr/bfdd": "frr",
  keepalived: "keepalived",
};

/** peerPrograms sees to it that some programs are there: as root, apt-get installs those that are missing. The error
 *  says which are not there and what to run. */
export async function peerPrograms(names: readonly string[], say: (text: string) => void): Promise<Result<void>> {
  const missing = await missingOf(names);
  if (missing.length === 0) return ok(undefined);
  const packages = missing.map((name) => PACKAGES[name] ?? name);
  say(`installing ${packages.join(", ")} by apt-get`);
  const install = [
    "env",
    "DEBIAN_FRONTEND=noninteractive",
    "apt-get",
    "install",
    "-y",
    "-q",
    "--no-install-recommends",
  ];
  if (!(await runCommand([...install, ...packages])).ok) {
    await runCommand(["apt-get", "update", "-q"]);
    await runCommand([...install, ...packages]);
  }
  const left = await missingOf(names);
  if (left.length === 0) return ok(undefined);
  return err(
    `${left.join(", ")} is not on this machine: apt-get install ${left.map((name) => PACKAGES[name] ?? name).join(" ")}`,
  );
}

async function missingOf(names: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(names.map((name) => hasProgram(name)));
  return names.filter((_, i) => found[i] !== true);
}

/** hasProgram reports whether a program is on the PATH. */
export async function hasProgram(name: string): Promise<boolean> {
  const find = 'PATH="$PATH:/usr/sbin:/sbin"; command -v "$1" > /dev/null';
  return (await runCommand(["sh", "-c", find, "sh", name])).ok;
}
