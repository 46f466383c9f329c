import { fileURLToPath } from "node:url";
import { type CommandFault, describeFault } from "#life";
import { err, type Ip, ok, type Result } from "#values";
import { exec } from "./exec.ts";
import { type Job, spawnIn } from "./job.ts";
import type { Place } from "./place.ts";

/** Answer is what a pod server said, and where the question went. */
export interface Answer {
  /** Address that was connected to: what the name meant at the client. */
  readonly address: Ip;
  readonly pod: string;
  readonly cluster: string;
  /** Source address that the server saw. */
  readonly client: Ip;
  readonly body: string;
}

const CLIENT = fileURLToPath(new URL("./pod-client.ts", import.meta.url));

/** resolve asks for a name in a place, by its /etc/resolv.conf. */
export async function resolve(place: Place, name: string): Promise<Result<readonly Ip[]>> {
  const said = await client(place, ["resolve", name]);
  return said.ok ? ok((JSON.parse(said.value) as Ip[]).toSorted()) : said;
}

/** get fetches a page a number of times, each on a connection of its own. */
export async function get(place: Place, url: string, times = 1): Promise<Result<readonly Answer[]>> {
  const said = await client(place, ["get", url, String(times)]);
  return said.ok ? ok(said.value.trim().split("\n").map(parseAnswer)) : said;
}

/** getOnce fetches a page. */
export async function getOnce(place: Place, url: string): Promise<Result<Answer>> {
  const said = await client(place, ["get", url]);
  return said.ok ? ok(parseAnswer(said.value)) : said;
}

/** askUdp sends a datagram to a pod server and gives its answer. */
export async function askUdp(place: Place, host: string, port: number, text: string): Promise<Result<Answer>> {
  const said = await client(place, ["udp", host, String(port), text]);
  return said.ok ? ok(parseAnswer(said.value)) : said;
}

/** ping sends echo requests by name or address and gives how many were answered. */
export async function ping(place: Place, host: string, count = 3): Promise<Result<number>> {
  const argv = ["ping", "-n", "-4", "-q", "-c", String(count), "-i", "0.2", "-W", "1", host];
  const said = await exec(place, argv, { timeoutMs: 5000 + count * 1000 });
  const received = /(\d+) received/.exec(said.ok ? said.value : "")?.[1];
  return said.ok && received !== undefined ? ok(Number(received)) : err(`${place.name} gets no echo from ${host}`);
}

/** startDownload begins a paced download; its log has a line when it began and one when it ended. */
export function startDownload(place: Place, name: string, url: string): Promise<Job> {
  return spawnIn(place, name, [process.execPath, CLIENT, "download", url]);
}

/** parseAnswer reads a line of the client: JSON around the server's `key: value` lines. */
export function parseAnswer(line: string): Answer {
  const { address, body } = JSON.parse(line) as { readonly address: Ip; readonly body: string };
  const value = (key: string): string => new RegExp(`^${key}: (.*)$`, "m").exec(body)?.[1] ?? "";
  return { address, body, pod: value("pod"), cluster: value("cluster"), client: value("client") as Ip };
}

async function client(place: Place, args: readonly string[]): Promise<Result<string>> {
  const said = await exec(place, [process.execPath, CLIENT, ...args], { timeoutMs: 20_000 });
  return said.ok ? said : err(`${place.name}: ${args.join(" ")}: ${reasonOf(said.error)}`);
}

function reasonOf(fault: CommandFault): string {
  return fault.stderr === "" ? describeFault(fault) : fault.stderr;
}
