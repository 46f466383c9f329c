import { err, ok, type Result } from "#values";
import { parseLinks } from "./links.ts";
import { parseNexthops } from "./nexthops.ts";
import { PROTOCOL } from "./ours.ts";
import { allOf, outside } from "./outside.ts";
import { parseRoutes } from "./route.ts";
import { parseRules } from "./rule.ts";
import { readSysctls } from "./sysctls.ts";
import type { DeviceState, TunnelState } from "./tunnel-state.ts";
import { parseWgDump } from "./wg-text.ts";

/** Found is what the machine itself shows; mode, key and last endpoints come from DATA. */
type Found = Pick<TunnelState, "interfaces" | "nexthops" | "groups" | "routes" | "rules" | "sysctls">;

/** readState looks at the machine: five programs side by side, about 15 ms. */
export async function readState(): Promise<Result<Found>> {
  const proto = ["proto", String(PROTOCOL)];
  const [links, devices, nexthops, routes, rules, sysctls] = await Promise.all([
    parsed(["ip", "-j", "addr", "show"], parseLinks),
    readDevices(),
    parsed(["ip", "-j", "nexthop", "show", ...proto], parseNexthops),
    parsed(["ip", "-4", "-j", "route", "show", "table", "all", ...proto], parseRoutes),
    parsed(["ip", "-4", "-j", "rule", "show"], parseRules),
    readSysctls(),
  ]);
  const all = allOf([links, devices, nexthops, routes, rules]);
  if (!all.ok) return all;
  const [linkStates, deviceStates, hops, routeList, ruleList] = all.value;
  // A link that `wg` does not list has no WireGuard behind it: its process died, or never was.
  const interfaces = new Map(
    [...linkStates].map(([index, link]) => [index, { ...link, device: deviceStates.get(index) ?? null }]),
  );
  return ok({ interfaces, ...hops, routes: routeList, rules: ruleList, sysctls });
}

/** readDevices asks `wg` for our interfaces. Its output holds the private keys: it is never logged or kept. */
export async function readDevices(): Promise<Result<ReadonlyMap<number, DeviceState>>> {
  return parsed(["wg", "show", "all", "dump"], parseWgDump);
}

/** parsed runs a program and reads its output. */
async function parsed<T>(argv: readonly string[], parse: (text: string) => Result<T>): Promise<Result<T>> {
  const text = await outside(argv);
  if (!text.ok) return err(text.error);
  return parse(text.value);
}
