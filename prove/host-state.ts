import { readdir, readFile, readlink } from "node:fs/promises";
import { exec, type Place } from "#lab";

/** HostState is what a node has that a daemon might change, as sorted lines of text by kind. */
export type HostState = ReadonlyMap<string, readonly string[]>;

/** One command per kind. What moves by itself is taken out: counters, and connections that only the kernel still
 *  remembers (TIME-WAIT has no socket any more, RFC 9293, section 3.3.2). */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  links: ["ip", "-o", "link"],
  addresses: ["ip", "-o", "addr"],
  routes: ["ip", "route", "show", "table", "all"],
  "IPv6 routes": ["ip", "-6", "route", "show", "table", "all"],
  rules: ["ip", "rule"],
  "IPv6 rules": ["ip", "-6", "rule"],
  nexthops: ["ip", "nexthop"],
  nftables: ["nft", "list", "ruleset"],
  sysctls: ["sh", "-c", 'cd /proc/sys/net && grep -rs "" . || true'],
  sockets: ["ss", "-H", "-t", "-u", "-a", "-n"],
  "Unix sockets": ["ss", "-H", "-x", "-l"],
  "WireGuard control sockets": ["ls", "/run/wireguard"],
};

/** Counts of the kernel's, not settings. */
const NO_SETTING = /nf_conntrack_count:/;

/** hostState reads all of it in a place. */
export async function hostState(place: Place): Promise<HostState> {
  const state = new Map<string, readonly string[]>();
  for (const [kind, argv] of Object.entries(COMMANDS)) {
    const said = await exec(place, argv);
    if (!said.ok) throw new Error(`${kind} of ${place.name} cannot be read: ${said.error.stderr}`);
    state.set(kind, clean(said.value));
  }
  return state.set("processes", await processesAt(place));
}

/** changes lists what differs: `+` is new, `-` is gone. */
export function changes(before: HostState, after: HostState): readonly string[] {
  return [...after].flatMap(([kind, lines]) => {
    const had = before.get(kind) ?? [];
    const added = lines.filter((line) => !had.includes(line)).map((line) => `${kind}: + ${line}`);
    return [...added, ...had.filter((line) => !lines.includes(line)).map((line) => `${kind}: - ${line}`)];
  });
}

/** clean makes a listing comparable. */
export function clean(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.replace(/counter packets \d+ bytes \d+/, "counter").trimEnd())
    .filter(
      (line) => line !== "" && !line.startsWith("TIME-WAIT") && !line.includes(" TIME-WAIT ") && !NO_SETTING.test(line),
    )
    .toSorted();
}

/** processesAt names every process in the place's network, by program. */
async function processesAt({ pid }: Place): Promise<readonly string[]> {
  const network = await readlink(`/proc/${pid}/ns/net`);
  const found: string[] = [];
  for (const name of (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry))) {
    if ((await readlink(`/proc/${name}/ns/net`).catch(() => "")) !== network) continue;
    const call = (await readFile(`/proc/${name}/cmdline`, "latin1").catch(() => "")).split("\0").join(" ");
    found.push(`${name} ${call.trim().slice(0, 120)}`);
  }
  return found.toSorted();
}
