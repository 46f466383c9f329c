import {
  type Cidr,
  type ClusterId,
  expect,
  type Ip,
  type Millis,
  millis,
  type Namespace,
  parseCidr,
  parseIp,
  parseUid,
  type Result,
  type ServiceName,
  type Uid,
} from "#values";
import type { Allocation, Refusal } from "./allocation.ts";
import { Ipam, type IpamOptions } from "./ipam.ts";
import type { ServiceAsk } from "./propose-services.ts";

/** For the tests of this room: short ways to write values, and to let members join. */
export const DAY = millis(86_400_000);
export const T0 = millis(1_700_000_000_000);

/** later is a time after T0. */
export function later(ms: number): Millis {
  return millis(T0 + ms);
}

export function net(text: string): Cidr {
  return expect(parseCidr(text));
}

export function ip(text: string): Ip {
  return expect(parseIp(text));
}

export function uid(n: number): Uid {
  return expect(parseUid(`00000000-0000-4000-8000-${String(n).padStart(12, "0")}`));
}

export function cluster(n: number): ClusterId {
  return `c${n}` as ClusterId;
}

export function service(n: number, name: string, namespace = "shop"): ServiceAsk {
  return { cluster: cluster(n), namespace: namespace as Namespace, name: name as ServiceName };
}

/** ipamOf has the supernets given, else the default one, and a day of quarantine. */
export function ipamOf(
  options: Partial<Omit<IpamOptions, "supernets">> & { readonly supernets?: string[] } = {},
): Ipam {
  const { supernets = ["242.0.0.0/8"], ...rest } = options;
  return new Ipam({ quarantineMs: DAY, ...rest, supernets: supernets.map(net) });
}

/** pods asks for member n and applies what is proposed; the result is the one that is live then, or the refusal. */
export function pods(ipam: Ipam, n: number, local = "10.244.0.0/16", wanted?: string, now = T0): Allocation | Refusal {
  const ask = { cluster: cluster(n), uid: uid(n), local: net(local) };
  return settled(ipam, ipam.proposePods(wanted === undefined ? ask : { ...ask, wanted: net(wanted) }, now));
}

export function nodes(ipam: Ipam, n: number, { family = 4, more = false, now = T0 } = {}): Allocation | Refusal {
  const ask = { cluster: cluster(n), uid: uid(n), family: family === 6 ? 6 : 4, more } as const;
  return settled(ipam, ipam.proposeNodes(ask, now));
}

/** prefixes shows a member's pods and nodes after it joined, as an operator would read them. */
export function join(ipam: Ipam, n: number, local = "10.244.0.0/16"): string {
  const family = local.includes(":") ? 6 : 4;
  return [pods(ipam, n, local), nodes(ipam, n, { family })].map((a) => ("prefix" in a ? a.prefix : a.code)).join(" ");
}

/** grant asks for services and applies what is proposed. */
export function grant(ipam: Ipam, asks: readonly ServiceAsk[], now = T0): readonly (Allocation | Refusal)[] {
  const results = ipam.proposeServices(asks, now);
  ipam.apply(results.flatMap((r) => (r.ok ? [r.value] : [])));
  return results.map((r) => (r.ok ? r.value : r.error));
}

/** release applies a release and reports the prefixes. */
export function release(ipam: Ipam, of: Parameters<Ipam["proposeRelease"]>[0], now = T0): readonly Cidr[] {
  const given = ipam.proposeRelease(of, now);
  ipam.apply(given);
  return given.map((a) => a.prefix);
}

/** prefixOf takes the prefix of what must have been granted. */
export function prefixOf(outcome: Allocation | Refusal | undefined): Cidr {
  if (outcome === undefined || !("prefix" in outcome)) throw new Error(`refused: ${outcome?.message}`);
  return outcome.prefix;
}

/** refusalOf takes the code and the message of what must have been refused. */
export function refusalOf(outcome: Allocation | Refusal | undefined): string {
  if (outcome === undefined || !("code" in outcome)) throw new Error(`granted: ${outcome?.prefix}`);
  return `${outcome.code}: ${outcome.message}`;
}

function settled(ipam: Ipam, result: Result<readonly Allocation[], Refusal>): Allocation | Refusal {
  if (!result.ok) return result.error;
  ipam.apply(result.value);
  const live = result.value.findLast((a) => a.state === "live");
  if (live === undefined) throw new Error("nothing live was proposed");
  return live;
}
