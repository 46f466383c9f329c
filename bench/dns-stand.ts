import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findCoreDns, freePort } from "#lab";
import { runCommand } from "#life";
import type { BenchAsk } from "./benchmark.ts";
import { type Contender, startContender } from "./dns-contender.ts";
import { corefile, nsdConf } from "./dns-peers.ts";
import type { DnsServerAsk } from "./dns-server.ts";
import { hostsFile, importsFile, serviceAddress, serviceName, zoneFile } from "./dns-workload.ts";
import { peerPrograms } from "./peer-programs.ts";

/** ContenderName: our responder by batches and by Node's sockets; the whole program, `meridian dns`; CoreDNS alone and with what every cluster has beside it; NSD;
 *  the server of the package dns2; and a C program that does nothing but receive and send. */
export type ContenderName =
  | "ours"
  | "ours-dgram"
  | "meridian"
  | "coredns"
  | "coredns-bare"
  | "nsd"
  | "dns2"
  | "c-reference";

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** How bin/meridian starts Node: compiled modules are kept, heaps are bounded. */
const AS_INSTALLED = [
  ...["env", `NODE_COMPILE_CACHE=${here("../node_modules/.cache/compile")}`, "MALLOC_ARENA_MAX=2"],
  ...[process.execPath, "--min-semi-space-size=2", "--max-semi-space-size=2", "--max-old-space-size=512"],
];

/** DnsStand is where servers are set up to be measured: a folder for their files, and those of them that are up. */
export class DnsStand {
  readonly folder: string;
  /** Who is not here, and why. */
  readonly absent = new Map<ContenderName, string>();
  readonly #ask: BenchAsk;
  readonly #stack: AsyncDisposableStack;
  readonly #up = new Map<string, Contender>();
  #coredns = "";

  private constructor(folder: string, ask: BenchAsk, stack: AsyncDisposableStack) {
    this.folder = folder;
    this.#ask = ask;
    this.#stack = stack;
  }

  /** open looks which peers there are, builds or installs those that can be, and starts nothing yet. */
  static async open(ask: BenchAsk, stack: AsyncDisposableStack): Promise<DnsStand> {
    const folder = await mkdtemp(join(tmpdir(), "meridian-dns-"));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const stand = new DnsStand(folder, ask, stack);
    const coredns = await findCoreDns(ask.say);
    if (coredns.ok) stand.#coredns = coredns.value;
    else for (const name of ["coredns", "coredns-bare"] as const) stand.absent.set(name, coredns.error);
    const nsd = await peerPrograms(["nsd"], ask.say);
    if (!nsd.ok) stand.absent.set("nsd", nsd.error);
    const compiled = await runCommand(["cc", "-O2", "-o", stand.file("c-reference"), here("./dns-reference.c")]);
    if (!compiled.ok) stand.absent.set("c-reference", "there is no C compiler: apt-get install gcc libc6-dev");
    return stand;
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  /** up gives a contender that serves so many services, started if it is not up yet; it stays up until the stand is
   *  closed. */
  async up(name: ContenderName, services: number, more: Partial<DnsServerAsk> = {}): Promise<Contender> {
    const key = `${name} ${services} ${JSON.stringify(more)}`;
    const known = this.#up.get(key);
    if (known !== undefined) return known;
    const contender = this.#stack.use(await this.start(name, services, more));
    this.#up.set(key, contender);
    return contender;
  }

  /** start starts one more of a kind, on CPU 0 alone unless it may have all; whoever asks for it disposes of it. */
  async start(
    name: ContenderName,
    services: number,
    { cpus = 1, ...more }: Partial<DnsServerAsk> & { readonly cpus?: number } = {},
  ): Promise<Contender> {
    const port = await freePort();
    const argv = await this.#argv(name, port, services, more);
    // The C program knows one address alone, that of the second service.
    const last = name === "c-reference" ? 1 : services - 1;
    const { signal } = this.#ask;
    return startContender({ argv, cpus, port, name: serviceName(last), address: serviceAddress(last), signal });
  }

  async #argv(name: ContenderName, port: number, services: number, more: Partial<DnsServerAsk>) {
    switch (name) {
      case "ours":
      case "ours-dgram": {
        const mode = name === "ours" ? "ffi" : "dgram";
        const ask: DnsServerAsk = { port, services, mode, changesPerSecond: 0, ...more };
        const text = JSON.stringify(ask);
        return [...AS_INSTALLED, here("./dns-server.ts"), await this.write(`ours-${port}.json`, text)];
      }
      case "meridian": {
        const folder = this.file(`imports-${services}`);
        await mkdir(folder, { recursive: true });
        await this.write(join(`imports-${services}`, "imports.yaml"), importsFile(services));
        return [here("../bin/meridian"), "dns", "--manifests", folder, "--dns", `127.0.0.1:${port}`];
      }
      case "coredns":
      case "coredns-bare": {
        const hosts = await this.write(`hosts-${services}`, hostsFile(services));
        const metrics = name === "coredns" ? await freePort() : undefined;
        return [this.#coredns, "-conf", await this.write(`Corefile-${port}`, corefile(port, hosts, metrics))];
      }
      case "nsd":
        await this.write("zone", zoneFile(services));
        return ["/usr/sbin/nsd", "-d", "-c", await this.write("nsd.conf", nsdConf(port, this.folder))];
      case "dns2":
        return [process.execPath, here("./dns2-server.ts"), String(port), String(services)];
      case "c-reference":
        return [this.file("c-reference"), String(port)];
    }
  }

  async write(name: string, content: string | Uint8Array): Promise<string> {
    await writeFile(this.file(name), content);
    return this.file(name);
  }
}
