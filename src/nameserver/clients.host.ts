import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { query } from "#dns";
import { runCommand } from "#life";
import { LOOPBACK, type Running, serve, until } from "./testbed.ts";

/** Other people's clients and resolvers, asking us. Each that is not there is skipped, and says so by its name. */
const WEB = "web.shop.svc.clusterset.local";
const HOST = "db-0.amber.db.shop.svc.clusterset.local";
const COREDNS = [join(homedir(), ".cache/meridian-peers/coredns"), "build/coredns", "/usr/bin/coredns"].find(
  existsSync,
);
const has = (program: string): boolean =>
  spawnSync("sh", ["-c", `PATH="$PATH:/usr/sbin" command -v ${program}`]).status === 0;

let running: Running;
beforeAll(async () => {
  running = await serve("clusterset.local:{$DNS} {\n bind 127.0.0.1\n multicluster\n}");
});
afterAll(() => running[Symbol.asyncDispose]());

/** said is the output of a client that is pointed at a port. */
async function said(...argv: readonly string[]): Promise<string> {
  const output = await runCommand(argv, { signal: AbortSignal.timeout(10_000) });
  return output.ok ? output.value : JSON.stringify(output.error);
}

describe("clients", () => {
  const at = (): string => String(running.ports.DNS);

  test.skipIf(!has("dig"))("dig, by UDP and TCP, with and without EDNS", async () => {
    for (const flags of [[], ["+tcp"], ["+noedns"], ["+dnssec", "+bufsize=512"]]) {
      expect(await said("dig", "@127.0.0.1", "-p", at(), "+short", ...flags, WEB)).toBe("242.192.0.1\n");
    }
  });

  test.skipIf(!has("kdig"))("kdig, two queries on one TCP connection", async () => {
    const text = await said("kdig", "@127.0.0.1", "-p", at(), "+tcp", "+keepopen", "+short", WEB, HOST);
    expect(text.trim().split(/\s+/)).toEqual(["242.192.0.1", "242.1.0.10"]);
  });

  test.skipIf(!has("drill"))("drill", async () => {
    expect(await said("drill", "-p", at(), `@127.0.0.1`, WEB, "AAAA")).toMatch(/IN\tAAAA\tfd00::1/);
  });

  test.skipIf(!has("delv"))("delv, which takes the zone for unsigned", async () => {
    const text = await said("delv", "@127.0.0.1", "-p", at(), "-i", WEB, "A");
    expect(text).toMatch(/\tA\t242\.192\.0\.1/);
  });
});

/** Resolvers that forward the zone here. */
const RESOLVERS = [
  {
    name: "unbound, with QNAME minimisation and 0x20",
    program: has("unbound") ? "unbound" : undefined,
    start: (dir: string, listen: number, to: number) => {
      const zone = `stub-zone:\n  name: "clusterset.local"\n  stub-addr: 127.0.0.1@${to}\n  stub-no-cache: yes\n`;
      const server = [
        ...[`interface: 127.0.0.1@${listen}`, "do-daemonize: no", 'username: ""', 'chroot: ""', `directory: "${dir}"`],
        ...[`pidfile: "${dir}/pid"`, "use-syslog: no", "qname-minimisation: yes", "qname-minimisation-strict: yes"],
        ...["use-caps-for-id: yes", "do-not-query-localhost: no", 'domain-insecure: "clusterset.local"'],
        ...['local-zone: "local." nodefault', 'module-config: "iterator"', "harden-below-nxdomain: yes"],
      ];
      writeFileSync(join(dir, "unbound.conf"), `server:\n  ${server.join("\n  ")}\n${zone}`);
      return ["unbound", "-d", "-c", join(dir, "unbound.conf")];
    },
  },
  {
    name: "CoreDNS, with forward and cache",
    program: COREDNS,
    start: (dir: string, listen: number, to: number) => {
      const block = `clusterset.local:${listen} {\n bind 127.0.0.1\n errors\n cache 30\n forward . 127.0.0.1:${to}\n}\n`;
      writeFileSync(join(dir, "Corefile"), block);
      return [COREDNS ?? "", "-conf", join(dir, "Corefile")];
    },
  },
  {
    name: "NodeLocal DNSCache's way: CoreDNS with forward by TCP alone",
    program: COREDNS,
    start: (dir: string, listen: number, to: number) => {
      const forward = `forward . 127.0.0.1:${to} {\n force_tcp\n }`;
      writeFileSync(join(dir, "Corefile"), `clusterset.local:${listen} {\n bind 127.0.0.1\n errors\n ${forward}\n}\n`);
      return [COREDNS ?? "", "-conf", join(dir, "Corefile")];
    },
  },
] as const;

describe.each(RESOLVERS)("$name", ({ program, start }) => {
  let dir = "";
  let child: ChildProcess | undefined;
  const asked = async (name: string, type = "A") => {
    const server = { host: LOOPBACK, port: running.ports.OTHER };
    const answer = await query({ server, name, type, recurse: true }, AbortSignal.timeout(5000));
    if (!answer.ok) throw new Error(answer.error.detail);
    return answer.value;
  };
  beforeAll(async () => {
    if (program === undefined) return;
    dir = mkdtempSync(join(tmpdir(), "meridian-resolver-"));
    const [file = "", ...argv] = start(dir, running.ports.OTHER, running.ports.DNS);
    const env = { PATH: `${process.env["PATH"]}:/usr/sbin` };
    child = spawn(file, argv, { stdio: "ignore", env });
    await until(
      () => asked(WEB),
      ({ rcode }) => rcode === "NOERROR",
    );
  });
  afterAll(async () => {
    if (child === undefined) return;
    if (child.exitCode === null && child.signalCode === null) {
      const gone = new Promise((resolve) => child?.once("exit", resolve));
      child.kill("SIGKILL");
      await gone;
    }
    rmSync(dir, { recursive: true, force: true });
  });

  test.skipIf(program === undefined)("names resolve, and a denial hides no name that exists", async () => {
    // What is above a name, denied, would hide it: each is asked first, as a minimising resolver does.
    for (const above of ["clusterset.local", "svc.clusterset.local", "shop.svc.clusterset.local"]) {
      expect((await asked(above)).rcode).toBe("NOERROR");
    }
    expect((await asked("gone.shop.svc.clusterset.local")).rcode).toBe("NXDOMAIN");
    expect((await asked("amber.db.shop.svc.clusterset.local")).rcode).toBe("NOERROR");
    expect((await asked(HOST)).answers.map(({ data }) => data)).toEqual(["242.1.0.10"]);
    expect((await asked(WEB, "AAAA")).answers.map(({ data }) => data)).toEqual(["fd00::1"]);
    expect((await asked("_tcp.web.shop.svc.clusterset.local")).rcode).toBe("NOERROR");
    const ports = await asked(`_http._tcp.${WEB}`, "SRV");
    // Who asks with mixed case gets the zone part of targets back so.
    expect(ports.answers.map(({ data }) => data.toLowerCase())).toEqual([`0 50 80 ${WEB}`]);
    expect((await asked(WEB)).answers.map(({ data }) => data)).toEqual(["242.192.0.1"]);
  });
});
