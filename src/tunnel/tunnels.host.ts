import { spawn } from "node:child_process";
import { once } from "node:events";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Trouble } from "#life";
import type { Ip, Result, TunnelKey } from "#values";
import { type Daemon, type Host, Testbed } from "./testbed.ts";
import { type Gateway, ip, planOf } from "./testbed-plan.ts";
import { countLeaks, ping, reaches, snapshot, wireguardPids } from "./testbed-traffic.ts";
import type { TunnelPlan } from "./tunnel-plan.ts";
import type { PeerStatus } from "./tunnels.ts";

let bed: Testbed;

beforeEach(async () => {
  bed = await Testbed.open();
});

afterEach(async () => {
  await bed.close();
});

/** gatewayOn makes a host the gateway of a member, with an address of its pod prefix for traffic. */
async function gatewayOn(host: Host, member: number, index: number): Promise<Gateway> {
  await host.run("ip", "addr", "add", `242.${member}.0.${index + 1}/32`, "dev", "lo");
  return { member, index, ip: host.ip, publicKey: host.publicKey };
}

async function reconcile(daemon: Daemon, plan: TunnelPlan): Promise<void> {
  expect(await daemon.ask<Result<number>>({ do: "reconcile", plan })).toEqual({ ok: true, value: expect.any(Number) });
  expect(await daemon.ask<Result<number>>({ do: "reconcile", plan })).toEqual({ ok: true, value: 0 });
}

async function two(): Promise<{ a: Host; b: Host; ga: Gateway; gb: Gateway; da: Daemon; db: Daemon }> {
  const [a, b] = [await bed.host(), await bed.host()];
  const [ga, gb] = [await gatewayOn(a, 1, 0), await gatewayOn(b, 2, 0)];
  const [da, db] = [bed.daemon(a), bed.daemon(b)];
  await Promise.all([reconcile(da, planOf(ga, [ga, gb])), reconcile(db, planOf(gb, [ga, gb]))]);
  return { a, b, ga, gb, da, db };
}

test("reconcile() makes tunnels that packets cross, and a second one finds nothing to do", async () => {
  const { a, b, da } = await two();
  await reaches(a, "242.1.0.1", "242.2.0.1");
  await reaches(b, "242.2.0.1", "242.1.0.1");
  const status = await da.ask<Result<readonly PeerStatus[]>>({ do: "status" });
  expect(status).toMatchObject({
    ok: true,
    value: [{ interface: 0, publicKey: b.publicKey, endpoint: { host: b.ip } }],
  });
  if (status.ok) expect(status.value[0]?.latestHandshake).toBeGreaterThan(1.7e12);
});

test("F1 a daemon killed with -9 loses no packet, and the next one adopts the same process and changes nothing", async () => {
  const { a, ga, gb, da } = await two();
  await reaches(a, "242.1.0.1", "242.2.0.1");
  const before = await wireguardPids(a);
  const traffic = ping(a, "242.1.0.1", "242.2.0.1", 60);
  await da.kill();
  const next = bed.daemon(a);
  const plan = planOf(ga, [ga, gb]);
  expect(await next.ask<Result<number>>({ do: "reconcile", plan })).toEqual({ ok: true, value: 0 });
  expect(await traffic).toBe(0);
  expect(await wireguardPids(a)).toEqual(before);
});

test("run() ends cleanly and leaves the packets going", async () => {
  const { a, da } = await two();
  await reaches(a, "242.1.0.1", "242.2.0.1");
  const traffic = ping(a, "242.1.0.1", "242.2.0.1", 20);
  expect(await da.end()).toBe(0);
  expect(await traffic).toBe(0);
});

test("F2 a wireguard-go killed with -9 is replaced within 1 s, same key and port, and nothing leaves in clear", async () => {
  const { a, da } = await two();
  await reaches(a, "242.1.0.1", "242.2.0.1");
  const leaks = await countLeaks(a);
  const [pid = 0] = await wireguardPids(a);
  const traffic = ping(a, "242.1.0.1", "242.2.0.1", 40);
  const start = performance.now();
  process.kill(pid, "SIGKILL");
  while ((await da.ask<number>({ do: "made" })) === 1);
  const rebuilt = performance.now() - start;
  await reaches(a, "242.1.0.1", "242.2.0.1");
  const lost = await traffic;
  expect(rebuilt).toBeLessThan(1000);
  expect(await leaks()).toBe(0);
  expect(lost).toBeLessThan(20);
  expect(await a.run("wg", "show", "mrd0", "public-key")).toBe(`${a.publicKey}\n`);
  expect(await a.run("wg", "show", "mrd0", "listen-port")).toBe("51820\n");
  expect(await wireguardPids(a)).not.toContain(pid);
});

test("an interface that somebody deletes comes back", async () => {
  const { a, da } = await two();
  await a.run("ip", "link", "del", "mrd0");
  while ((await da.ask<number>({ do: "made" })) === 1);
  await reaches(a, "242.1.0.1", "242.2.0.1");
});

test("tunnels cross an IPv6 underlay", async () => {
  const [a, b] = [await bed.host(), await bed.host()];
  const [ga, gb] = [await gatewayOn(a, 1, 0), await gatewayOn(b, 2, 0)];
  const by6 = (self: Gateway, peerHost: Ip): TunnelPlan => {
    const plan = planOf(self, [ga, gb]);
    const endpoint = { host: peerHost, port: 51820 };
    const interfaces = plan.interfaces.map((i) => ({ ...i, peers: i.peers.map((peer) => ({ ...peer, endpoint })) }));
    return { ...plan, interfaces };
  };
  const [da, db] = [bed.daemon(a), bed.daemon(b)];
  await Promise.all([reconcile(da, by6(ga, ip("fd77::2"))), reconcile(db, by6(gb, ip("fd77::1")))]);
  await reaches(a, "242.1.0.1", "242.2.0.1");
  const endpoint = { host: "fd77::2", port: 51820 };
  expect(await da.ask({ do: "status" })).toMatchObject({ value: [{ endpoint }] });
});

test("F2 without any daemon nothing leaves in clear after wireguard-go died", async () => {
  const { a, da } = await two();
  const leaks = await countLeaks(a);
  await da.kill();
  for (const pid of await wireguardPids(a)) process.kill(pid, "SIGKILL");
  await ping(a, "242.1.0.1", "242.2.0.1", 5);
  expect(await a.run("ip", "route", "show", "type", "unreachable")).toContain("242.0.0.0/8");
  expect(await leaks()).toBe(0);
});

test("traffic moves to a member's other gateway when its way goes down, and back, without a loss", async () => {
  const [a, b1, b2] = [await bed.host(), await bed.host(), await bed.host()];
  const ga = await gatewayOn(a, 1, 0);
  const [g1, g2] = [await gatewayOn(b1, 2, 0), await gatewayOn(b2, 2, 1)];
  // One pod that both gateways of member 2 can reach: an address on each.
  for (const host of [b1, b2]) await host.run("ip", "addr", "add", "242.2.9.9/32", "dev", "lo");
  const all = [ga, g1, g2];
  const [da, d1, d2] = [bed.daemon(a), bed.daemon(b1), bed.daemon(b2)];
  await Promise.all([reconcile(da, planOf(ga, all)), reconcile(d1, planOf(g1, all)), reconcile(d2, planOf(g2, all))]);
  await reaches(a, "242.1.0.1", "242.2.9.9");
  for (const down of [[g1], [], [g2], [g1, g2], []]) {
    const traffic = ping(a, "242.1.0.1", "242.2.9.9", 10);
    await reconcile(
      da,
      planOf(ga, all, (peer) => !down.includes(peer)),
    );
    expect(await traffic).toBe(0);
  }
  await reconcile(
    da,
    planOf(ga, all, (peer) => peer === g2),
  );
  await reconcile(
    da,
    planOf(ga, all, () => false),
  );
  const group = await a.run("ip", "nexthop", "show", "proto", "77");
  expect(group).toContain("group 1308491778/1308491779 type resilient");
  const probe = ["ip", "route", "get", "242.0.2.2", "ipproto", "udp", "sport", "7799"];
  expect(await a.run(...probe)).toContain("dev mrd1 table 7702 src 242.0.1.1");
});

test("teardown() leaves nothing: interfaces, routes, rules, nexthops, ports, sysctls, sockets, processes", async () => {
  const [a, b] = [await bed.host(), await bed.host()];
  const [ga, gb] = [await gatewayOn(a, 1, 0), await gatewayOn(b, 2, 3)];
  await a.run("sysctl", "-qw", "net.ipv4.conf.eth0.rp_filter=1");
  const before = await snapshot(a);
  const first = bed.daemon(a);
  await reconcile(first, planOf(ga, [ga, gb]));
  await first.kill();
  const daemon = bed.daemon(a);
  await reconcile(daemon, planOf(ga, [ga, gb, { ...gb, member: 3, index: 1, publicKey: a.publicKey }]));
  expect(await snapshot(a)).not.toBe(before);
  expect(await daemon.ask<Result<null>>({ do: "teardown" })).toEqual({ ok: true, value: null });
  expect(await snapshot(a)).toBe(before);
  expect((await a.run("ls", a.dataDir)).trim()).toBe("tunnel.key");
});

test("a taken UDP port is a trouble that names port and range; the other interfaces work; it heals", async () => {
  const [a, b1, b2] = [await bed.host(), await bed.host(), await bed.host()];
  const ga = await gatewayOn(a, 1, 0);
  const [g1, g2] = [await gatewayOn(b1, 2, 0), await gatewayOn(b2, 3, 1)];
  const all = [ga, g1, g2];
  const [da, d1] = [bed.daemon(a), bed.daemon(b1)];
  const listen = "require('dgram').createSocket('udp4').bind(51821)";
  const [program = "", ...args] = a.on(process.execPath, "-e", `${listen}.on('listening', () => console.log('bound'))`);
  const squatter = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  await once(squatter.stdout, "data");
  await reconcile(d1, planOf(g1, all));
  const done = await da.ask<Result<number>>({ do: "reconcile", plan: planOf(ga, all) });
  expect(done).toEqual({ ok: false, error: expect.stringMatching(/UDP port 51821 of mrd1 is taken.*UDP 51820-51827/) });
  await reaches(a, "242.1.0.1", "242.2.0.1");
  expect(await da.ask<readonly Trouble[]>({ do: "troubles" })).toMatchObject([{ code: "tunnel-failed" }]);
  squatter.kill();
  while ((await da.ask<readonly Trouble[]>({ do: "troubles" })).length > 0);
  expect(await a.run("wg", "show", "mrd1", "listen-port")).toBe("51821\n");
});

test("reconcile() reaches every view from every other, with a process killed now and then", async () => {
  const [a, b] = [await bed.host(), await bed.host()];
  const ga = await gatewayOn(a, 1, 0);
  const daemon = bed.daemon(a);
  const seen = fc.record({
    member: fc.integer({ min: 2, max: 4 }),
    index: fc.integer({ min: 0, max: 2 }),
    up: fc.boolean(),
  });
  const walk = fc.sample(fc.array(seen, { maxLength: 6 }), { numRuns: 15, seed: 77 });
  for (const [i, view] of walk.entries()) {
    const gateways = new Map(view.map(({ member, index, up }) => [`${member} ${index}`, { member, index, up }]));
    const all = [...gateways.values()].map(({ member, index }): Gateway => {
      const publicKey = Buffer.alloc(32, member * 4 + index).toString("base64") as TunnelKey;
      return { member, index, ip: b.ip, publicKey };
    });
    const sibling: Gateway = { member: 1, index: 1, ip: b.ip, publicKey: b.publicKey };
    const isUp = (peer: Gateway): boolean => gateways.get(`${peer.member} ${peer.index}`)?.up === true;
    const plan = planOf(ga, i % 3 === 0 ? [ga, ...all] : [ga, sibling, ...all], isUp);
    await reconcile(daemon, plan);
    expect(await a.run("ip", "route", "show", "type", "unreachable")).toContain("242.0.0.0/8");
    const [pid] = await wireguardPids(a);
    if (i % 5 !== 4 || pid === undefined) continue;
    const made = await daemon.ask<number>({ do: "made" });
    process.kill(pid, "SIGKILL");
    while ((await daemon.ask<number>({ do: "made" })) === made);
    expect(await daemon.ask<Result<number>>({ do: "reconcile", plan })).toEqual({ ok: true, value: 0 });
  }
});

test("a route that somebody else has is a fault that says so, and stays theirs", async () => {
  const [a, b] = [await bed.host(), await bed.host()];
  const [ga, gb] = [await gatewayOn(a, 1, 0), await gatewayOn(b, 2, 0)];
  await a.run("ip", "route", "add", "242.2.0.0/16", "via", "172.31.77.9", "proto", "static");
  const done = await bed.daemon(a).ask<Result<number>>({ do: "reconcile", plan: planOf(ga, [ga, gb]) });
  expect(done).toMatchObject({
    ok: false,
    error: expect.stringMatching(/^ip route add 242.2.0.0\/16 .*somebody else has it/),
  });
  expect(await a.run("ip", "route", "show", "242.2.0.0/16")).toContain("via 172.31.77.9 dev eth0 proto static");
  expect(await a.run("ip", "route", "get", "242.0.2.1")).toContain("dev mrd0");
});

test("a port that is taken when it changes is the same error, and the tunnel stays on its old one", async () => {
  const { a, ga, gb, da } = await two();
  await reaches(a, "242.1.0.1", "242.2.0.1");
  const listen = "require('dgram').createSocket('udp4').bind(51900)";
  const [program = "", ...args] = a.on(process.execPath, "-e", `${listen}.on('listening', () => console.log('bound'))`);
  const squatter = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  await once(squatter.stdout, "data");
  const plan = planOf(ga, [ga, gb]);
  const moved = { ...plan, interfaces: plan.interfaces.map((wish) => ({ ...wish, listenPort: 51900 })) };
  const done = await da.ask<Result<number>>({ do: "reconcile", plan: moved });
  expect(done).toEqual({ ok: false, error: expect.stringContaining("UDP port 51900 of mrd0 is taken") });
  expect(await a.run("wg", "show", "mrd0", "listen-port")).toBe("51820\n");
  expect(await ping(a, "242.1.0.1", "242.2.0.1", 3)).toBe(0);
  squatter.kill();
});
