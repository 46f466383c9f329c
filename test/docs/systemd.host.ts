import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exec, type Job, linesOf, mustExec, type Place, processesIn, spawnIn, stopJob } from "#lab";
import { type HostPair, raiseHostPair } from "./host-pair.ts";
import { type NotifySocket, openNotifySocket } from "./notify-socket.ts";
import { ROOT } from "./pages.ts";
import { settingOf, unitFiles, withoutPrivileges } from "./unit-file.ts";

const MERIDIAN = "/opt/meridian/bin/meridian";

/** The units as a service manager would run them, one after the other: on host 1, with the example configurations, with
 *  the rights that the units leave, and with a socket that hears when they are ready. */
describe("the units of deploy/systemd", () => {
  let pair: HostPair;
  let socket: NotifySocket;
  let host: Place;
  let gateway: Job;

  beforeAll(async () => {
    pair = await raiseHostPair();
    socket = openNotifySocket();
    host = pair.hosts["host1"] as Place;
    await mustExec(host, ["mkdir", "-p", "/etc/meridian/manifests"]);
    for (const name of ["broker.yaml", "gateway.yaml"]) {
      const text = readFileSync(join(ROOT, "deploy/systemd", name), "utf8");
      await mustExec(host, ["tee", `/etc/meridian/${name}`], { stdin: text });
    }
  });
  afterAll(async () => {
    await pair?.[Symbol.asyncDispose]();
    socket?.[Symbol.dispose]();
  });

  /** What systemd prepares before ExecStart: the folders of the unit, owned by its user, and the environment. */
  async function start(name: string): Promise<Job> {
    const unit = unitFiles().find((one) => one.name === `${name}.service`);
    if (unit === undefined) throw new Error(`there is no ${name}.service`);
    const owner = settingOf(unit, "Service", "DynamicUser") === "yes" ? "65534" : "0";
    const folders = [
      `/var/lib/${settingOf(unit, "Service", "StateDirectory")}`,
      `/run/${settingOf(unit, "Service", "CacheDirectory")}`,
    ];
    await mustExec(host, ["install", "-d", "-m", "700", "-o", owner, ...folders]);
    const environment = [`NOTIFY_SOCKET=${socket.path}`, `NODE_COMPILE_CACHE=${folders[1]}`];
    return spawnIn(host, name, ["env", ...environment, ...withoutPrivileges(unit)]);
  }

  /** What the service manager hears first: a message, or the end of the process. */
  async function firstWord(job: Job): Promise<string> {
    const end = job.ended.then(async (code) => `ended with ${code}: ${(await linesOf(job)).slice(-3).join(" | ")}`);
    return Promise.race([socket.next(), end]);
  }

  test("the broker is ready as nobody, without any capability", async () => {
    expect(await firstWord(await start("meridian-broker"))).toBe("READY=1");
  });

  test("the gateway joins and is ready with two capabilities", async () => {
    const invite = `umask 077; ${MERIDIAN} invite --data /var/lib/meridian-broker > /etc/meridian/join-token`;
    await mustExec(host, ["sh", "-c", invite], { timeoutMs: 30_000 });
    gateway = await start("meridian-gateway");
    expect(await firstWord(gateway)).toBe("READY=1");
    const status = await mustExec(host, [MERIDIAN, "status"], { timeoutMs: 30_000 });
    expect(status).toContain("no troubles");
    expect(status).toMatch(/broker +wss:\/\/192\.0\.2\.11:7443 connected/);
  });

  test("stopping it leaves its tunnel, and the next start takes it over, without the token", async () => {
    const before = await processesIn(host.pid, "wireguard-go");
    expect(await stopJob(gateway)).toBe(0);
    expect((await exec(host, ["ip", "link", "show", "mrd0"])).ok).toBe(true);
    gateway = await start("meridian-gateway");
    expect(await firstWord(gateway)).toBe("READY=1");
    expect(await processesIn(host.pid, "wireguard-go")).toEqual(before);
  });

  test("`meridian leave` ends it with 0, which the unit does not start again", async () => {
    await mustExec(host, [MERIDIAN, "leave"], { timeoutMs: 30_000 });
    expect(await gateway.ended).toBe(0);
    expect((await exec(host, ["ip", "link", "show", "mrd0"])).ok).toBe(false);
  });
});
