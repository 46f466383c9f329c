import { basename, join } from "node:path";
import {
  createPlace,
  createRun,
  eventually,
  exec,
  ipBatch,
  isReadyLine,
  mustExec,
  type Place,
  type Run,
  spawnIn,
  sweepRun,
  waitForLine,
} from "#lab";
import { err, ok, type Result } from "#values";
import { type Block, missingIn } from "./blocks.ts";
import { ROOT } from "./pages.ts";

/** HostPair is the scene of the setup that the documents describe: two hosts with the addresses that stand there, and
 *  the checkout at /opt/meridian, so that every command runs as it is written. */
export interface HostPair extends AsyncDisposable {
  readonly run: Run;
  readonly hosts: Readonly<Record<string, Place>>;
}

/** What a fresh host has, private to its mount namespace: an empty /opt, /usr/local/bin and /var/lib, and a copy of
 *  /etc. The checkout keeps its own path too, where that lies below one of them. */
const FRESH = `set -e
mkdir -p /run/checkout /run/etc
mount --rbind "$1" /run/checkout
cp -a /etc/. /run/etc/ 2>/dev/null || true
for dir in /opt /usr/local/bin /var/lib; do mount -t tmpfs tmpfs "$dir"; done
mount --rbind /run/etc /etc
mkdir -p "$1" /opt/meridian
mountpoint -q "$1" || [ -e "$1/package.json" ] || mount --rbind /run/checkout "$1"
mount --rbind /run/checkout /opt/meridian
ln -s /opt/meridian/bin/meridian /usr/local/bin/meridian
mkdir /etc/meridian 2>/dev/null || true
`;

/** raiseHostPair makes two hosts on one wire, 192.0.2.11 and 192.0.2.12. */
export async function raiseHostPair(): Promise<HostPair> {
  const run = await createRun();
  const sweep = () => sweepRun(run);
  try {
    const host1 = await createPlace(run, "host1", "127.0.0.1");
    const host2 = await createPlace(run, "host2", "127.0.0.1");
    await ipBatch(host1, [
      `link add eth0 type veth peer name eth0 netns ${host2.pid}`,
      "addr add 192.0.2.11/24 dev eth0",
      "link set eth0 up",
    ]);
    await ipBatch(host2, ["addr add 192.0.2.12/24 dev eth0", "link set eth0 up"]);
    const checkout = ROOT.replace(/\/$/, "");
    for (const host of [host1, host2]) await mustExec(host, ["sh", "-c", FRESH, "sh", checkout]);
    return { run, hosts: { host1, host2 }, [Symbol.asyncDispose]: sweep };
  } catch (error) {
    await sweep();
    throw error;
  }
}

/** runBlock runs a block on its host, or on both, and looks for what the document shows. */
export async function runBlock(pair: HostPair, block: Block): Promise<Result<void>> {
  const on = block.marks.get("on") ?? "";
  const names = on === "both" ? Object.keys(pair.hosts) : [on];
  for (const name of names) {
    const host = pair.hosts[name];
    if (host === undefined) return err(`there is no host ${JSON.stringify(name)}`);
    const done = await (block.marks.has("copy")
      ? copyToOther(pair, block)
      : block.marks.has("daemon")
        ? startDaemon(host, block)
        : runOn(host, block));
    if (!done.ok) return done;
  }
  return ok(undefined);
}

/** `scp FILE... root@192.0.2.12:FOLDER` without the ssh that a namespace has not. */
async function copyToOther({ hosts: { host1, host2 } }: HostPair, { text }: Block): Promise<Result<void>> {
  const [, files, folder] = /^scp (.+) root@192\.0\.2\.12:(\/\S+)\n$/.exec(text) ?? [];
  if (files === undefined || folder === undefined || host1 === undefined || host2 === undefined) {
    return err(`not a copy from host 1 to host 2: ${text}`);
  }
  for (const file of files.split(" ")) {
    const content = await mustExec(host1, ["cat", file]);
    const write = ["sh", "-c", 'umask 077; cat > "$1"', "sh", join(folder, basename(file))];
    await mustExec(host2, write, { stdin: content });
  }
  return ok(undefined);
}

/** A daemon goes on in the background, as in a terminal of its own. */
async function startDaemon(host: Place, block: Block): Promise<Result<void>> {
  const word = block.marks.get("ready");
  const isReady = word === undefined ? isReadyLine : (line: string): boolean => line.includes(word);
  try {
    const job = await spawnIn(host, `${host.name}-${block.line}`, ["sh", "-c", block.text]);
    await waitForLine(job, isReady, 60_000);
    return ok(undefined);
  } catch (error) {
    return err((error as Error).message);
  }
}

async function runOn(host: Place, block: Block): Promise<Result<void>> {
  const once = async (): Promise<Result<void>> => {
    const said = await exec(host, ["sh", "-eu", "-c", block.text], { timeoutMs: 60_000 });
    if (!said.ok) return err(`exit ${said.error.code}: ${said.error.stderr}`);
    const missing = missingIn(block.output, said.value);
    return missing === undefined ? ok(undefined) : err(`no line ${JSON.stringify(missing)} in\n${said.value}`);
  };
  return block.marks.has("retry") ? eventually(once, { timeoutMs: 20_000, everyMs: 250 }) : once();
}
