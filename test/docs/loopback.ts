import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually, freePort, isReadyLine } from "#lab";
import { runCommand } from "#life";
import { err, ok, type Result } from "#values";
import { type Block, missingIn } from "./blocks.ts";
import { ROOT } from "./pages.ts";

/** Loopback is a broker and one gateway of cluster amber, which touches no interface: enough for all that needs no
 *  second host, and no root. */
export interface Loopback extends AsyncDisposable {
  /** Where files of the documents are: `/etc/meridian` of a host is `etc` here. */
  readonly folder: string;
  /** run runs a block and looks for what the document shows. */
  run(block: Block): Promise<Result<void>>;
  /** say runs commands as a document would write them, and gives what they print. */
  say(text: string): Promise<Result<string>>;
}

/** What documents call it, and what it is here. Longer texts come first, since one may begin another. */
type Names = readonly (readonly [documented: string, here: string])[];

/** raiseLoopback starts both and waits until they serve. `manifests` are files of the gateway's folder. */
export async function raiseLoopback(manifests: Readonly<Record<string, string>>): Promise<Loopback> {
  const folder = mkdtempSync(join(tmpdir(), "meridian-docs-"));
  for (const name of ["bin", "broker", "gateway", "etc/manifests"]) mkdirSync(join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, "bin/meridian"), join(folder, "bin/meridian"));
  for (const [name, text] of Object.entries(manifests)) writeFileSync(join(folder, "etc/manifests", name), text);
  const [session = 0, admin = 0, dns = 0, http = 0] = await freePorts(4);
  const names: Names = [
    ["/var/lib/meridian-broker", join(folder, "broker")],
    ["/var/lib/meridian", join(folder, "gateway")],
    ["/etc/meridian", join(folder, "etc")],
    ["127.0.0.1:7480", `127.0.0.1:${admin}`],
    ["127.0.0.1:7490", `127.0.0.1:${http}`],
    ["-p 5353", `-p ${dns}`],
    ["meridian dig", `meridian dig --at 127.0.0.1:${dns}`], // it asks port 5353 unless told otherwise
  ];
  const scene = new Scene(folder, names);
  try {
    const at = `127.0.0.1:${session}`;
    const [broker, gateway] = [join(folder, "broker"), join(folder, "gateway")];
    await scene.start([
      "broker",
      "--data",
      broker,
      "--listen",
      at,
      "--advertise",
      `wss://${at}`,
      "--http",
      `127.0.0.1:${admin}`,
    ]);
    const token = await scene.meridian(["invite", "--data", broker, "--cluster", "amber"]);
    writeFileSync(join(folder, "etc/join-token"), token, { mode: 0o600 });
    await scene.start([
      ...["gateway", "--data", gateway, "--cluster", "amber", "--join-token-file", join(folder, "etc/join-token")],
      ...[
        "--pod-cidr",
        "10.244.0.0/16",
        "--service-cidr",
        "10.96.0.0/16",
        "--manifests",
        join(folder, "etc/manifests"),
      ],
      ...["--data-plane", "none", "--dns", `127.0.0.1:${dns}`, "--http", `127.0.0.1:${http}`, "--name", "host1"],
    ]);
    return scene;
  } catch (error) {
    await scene[Symbol.asyncDispose]();
    throw error;
  }
}

class Scene implements Loopback {
  readonly folder: string;
  readonly #names: Names;
  readonly #daemons: ChildProcess[] = [];

  constructor(folder: string, names: Names) {
    this.folder = folder;
    this.#names = names;
  }

  async run(block: Block): Promise<Result<void>> {
    const once = () => this.#runOnce(block);
    return block.marks.has("retry") ? eventually(once, { timeoutMs: 20_000, everyMs: 200 }) : once();
  }

  async say(text: string): Promise<Result<string>> {
    const said = await this.#command(["sh", "-eu", "-c", this.#here(text)]);
    return said.ok ? said : err(`exit ${said.error.code}: ${said.error.stderr}`);
  }

  async #runOnce({ text, output }: Block): Promise<Result<void>> {
    const said = await this.say(text);
    if (!said.ok) return said;
    const missing = missingIn(
      output.map((line) => this.#here(line)),
      said.value,
    );
    return missing === undefined ? ok(undefined) : err(`no line ${JSON.stringify(missing)} in\n${said.value}`);
  }

  async meridian(args: readonly string[]): Promise<string> {
    const said = await this.#command(["meridian", ...args]);
    if (!said.ok) throw new Error(said.error.stderr);
    return said.value;
  }

  /** start runs a daemon and waits for the line that says it is ready. */
  async start(args: readonly string[]): Promise<void> {
    const [program = "", ...rest] = this.#inPlace(["meridian", ...args, "--log-format", "json"]);
    const child = spawn(program, rest, { stdio: ["ignore", "ignore", "pipe"] });
    this.#daemons.push(child);
    let log = "";
    const ready = new Promise<void>((resolve, reject) => {
      child.stderr?.on("data", (chunk: Buffer) => {
        log += chunk.toString("utf8");
        if (log.split("\n").some(isReadyLine)) resolve();
      });
      child.once("exit", (code) => reject(new Error(`meridian ${args[0]} ended with ${code}:\n${log}`)));
    });
    await ready;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ends = this.#daemons.map((child) => {
      if (child.exitCode !== null || child.signalCode !== null) return undefined;
      const end = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      return end;
    });
    await Promise.all(ends);
    rmSync(this.folder, { recursive: true });
  }

  #command(argv: readonly string[]): ReturnType<typeof runCommand> {
    return runCommand(this.#inPlace(argv), { signal: AbortSignal.timeout(60_000) });
  }

  /** In the scene's folder, with the program on the PATH. The commands find the gateway by the default of --data, which
   *  the environment sets here. */
  #inPlace(argv: readonly string[]): readonly string[] {
    const script = 'PATH="$1/bin:$PATH"; export PATH; cd "$1"; shift; exec "$@"';
    const own = [`MERIDIAN_DATA=${join(this.folder, "gateway")}`];
    return ["env", ...own, "sh", "-c", script, "sh", this.folder, ...argv];
  }

  #here(text: string): string {
    return this.#names.reduce((whole, [documented, here]) => whole.replaceAll(documented, here), text);
  }
}

/** Ports that the system chose and that were free a moment ago. */
function freePorts(count: number): Promise<readonly number[]> {
  return Promise.all(Array.from({ length: count }, freePort));
}
