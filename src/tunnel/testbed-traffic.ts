import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { type Host, must } from "./testbed.ts";

/** ping sends count packets, 20 a second, and gives how many were lost. */
export async function ping(host: Host, from: string, to: string, count = 1): Promise<number> {
  const argv = host.on("ping", "-n", "-i", "0.05", "-W", "1", "-c", String(count), "-I", from, to);
  const child = spawn(argv[0] ?? "", argv.slice(1), { stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  await once(child, "close");
  const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(out) ?? [];
  return Number(sent) - Number(received);
}

/** A handshake that was lost is tried again after 5 s (REKEY_TIMEOUT of the WireGuard paper), and is lost where both sides
 *  begin one while the other's is on its way: on a busy machine that may happen several times in a row. A ping may be
 *  refused at once meanwhile, so it is the time that counts, and not the tries. */
const REACH_MS = 60_000;

/** reaches pings until the first answer: a handshake may still be under way. */
export async function reaches(host: Host, from: string, to: string): Promise<void> {
  const end = performance.now() + REACH_MS;
  while ((await ping(host, from, to)) > 0) {
    if (performance.now() > end) throw new Error(`${from} cannot reach ${to}:\n${await lookAt(host, to)}`);
    await sleep(50);
  }
}

/** lookAt is what a host and the others of its testbed have for a way, for the error that there is none. */
async function lookAt(host: Host, to: string): Promise<string> {
  const names = (await must("ip", "netns", "list")).split("\n").map((line) => line.split(" ")[0] ?? "");
  const hosts = names.filter((name) => name.startsWith(host.name.replace(/\d+$/, "")));
  const asks = [["addr"], ["-s", "link"], ["neigh"], ["route", "show", "table", "all"], ["rule"]];
  const others = hosts.map(async (name) => {
    const said = await Promise.all(asks.map((ask) => must("ip", "-n", name, "-4", ...ask).catch(String)));
    return [`${name}:`, ...said].join("\n");
  });
  const own = [host.run("wg", "show").catch(String), host.run("ip", "route", "get", to).catch(String)];
  return (await Promise.all([...own, ...others])).join("\n");
}

/** countLeaks counts what leaves a host in clear for the supernet, by its uplink. */
export async function countLeaks(host: Host): Promise<() => Promise<number>> {
  await host.run("nft", "add table inet leak; add chain inet leak out { type filter hook postrouting priority 400; }");
  await host.run("nft", "add rule inet leak out oifname eth0 ip daddr 242.0.0.0/8 counter");
  return async () => Number(/counter packets (\d+)/.exec(await host.run("nft", "list", "table", "inet", "leak"))?.[1]);
}

/** wireguardPids are the wireguard-go processes of a host. */
export async function wireguardPids(host: Host): Promise<readonly number[]> {
  const pids = (await must("ip", "netns", "pids", host.name)).trim().split("\n");
  const lines = await Promise.all(pids.map((pid) => must("cat", `/proc/${pid}/cmdline`).catch(() => "")));
  return pids.filter((_, i) => /-f\0mrd\d/.test(lines[i] ?? "")).map(Number);
}

/** snapshot is all that a data plane could leave behind on a host, as text. */
export async function snapshot(host: Host): Promise<string> {
  const parts = [
    host.run("ip", "-o", "link", "show"),
    host.run("ip", "-4", "route", "show", "table", "all"),
    host.run("ip", "rule", "show"),
    host.run("ip", "nexthop", "show"),
    host.run("ss", "-Hlnu"),
    host.run("sysctl", "net.ipv4.ip_forward", "net.ipv4.fib_multipath_hash_policy", "net.ipv4.conf.eth0.rp_filter"),
    host.run("find", "/run/", "-name", "*.sock"),
    wireguardPids(host).then(String),
  ];
  return (await Promise.all(parts)).join("\n---\n");
}
