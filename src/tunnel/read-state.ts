import { err, ok, type Result } from "#values";
import { parseLinks } from "./links.ts";
import { parseNexthops } from "./nexthops.ts";
import { OVERLAY, PROTOCOL } from "./ours.ts";
import { allOf, outside } from "./outside.ts";
import type { OverlayState } from "./overlay.ts";
import { parseOverlay } from "./overlay-text.ts";
import { parseRoutes } from "./route.ts";
import { parseRules } from "./rule.ts";
import { readSysctls } from "./sysctls.ts";
import type { DeviceState, TunnelState } from "./tunnel-state.ts";
import { linkIsThere } from "./userspace.ts";
import { parseWgDump } from "./wg-text.ts";

/** Found is what the machine itself shows; mode, key and last endpoints come from DATA. */
type Found = Pick<TunnelState, "interfaces" | "overlay" | "nexthops" | "groups" | "routes" | "rules" | "sysctls">;

/** readState looks at the machine: five programs side by side, about 15 ms. */
export async function readState(): Promise<Result<Found>> {
  const proto = ["proto", String(PROTOCOL)];
  const [links, devices, nexthops, routes, rules, sysctls, overlay] = await Promise.all([
    parsed(["ip", "-j", "addr", "show"], parseLinks),
    readDevices(),
    parsed(["ip", "-j", "nexthop", "show", ...proto], parseNexthops),
    parsed(["ip", "-4", "-j", "route", "show", "table", "all", ...proto], parseRoutes),
    parsed(["ip", "-4", "-j", "rule", "show"], parseRules),
    readSysctls(),
    readOverlay(),
  ]);
  const all = allOf([links, devices, nexthops, routes, rules, overlay]);
  if (!all.ok) return all;
  const [linkStates, deviceStates, hops, routeList, ruleList, over] = all.value;
  // A link that `wg` does not list has no WireGuard behind it: its process died, or never was.
  const interfaces = new Map(
    [...linkStates].map(([index, link]) => [index, { ...link, device: deviceStates.get(index) ?? null }]),
  );
  return ok({ interfaces, overlay: over, ...hops, routes: routeList, rules: ruleList, sysctls });
}

/** readDevices asks `wg` for our interfaces. Its output holds the private keys: it is never logged or kept. */
export async function readDevices(): Promise<Result<ReadonlyMap<number, DeviceState>>> {
  return parsed(["wg", "show", "all", "dump"], parseWgDump);
}

/** readOverlay looks only where there is one, as hardly anywhere. */
async function readOverlay(): Promise<Result<OverlayState | null>> {
  if (!(await linkIsThere(OVERLAY))) return ok(null);
  const texts = allOf<[string, string, string]>(
    await Promise.all([
      outside(["ip", "-d", "-j", "addr", "show"]),
      outside(["ip", "-4", "-j", "neigh", "show", "dev", OVERLAY]),
      outside(["bridge", "-j", "fdb", "show", "dev", OVERLAY]),
    ]),
  );
  if (texts.ok) return parseOverlay(...texts.value);
  return (await linkIsThere(OVERLAY)) ? texts : ok(null); // it went in between
}

/** parsed runs a program and reads its output. */
async function parsed<T>(argv: readonly string[], parse: (text: string) => Result<T>): Promise<Result<T>> {
  const text = await outside(argv);
  if (!text.ok) return err(text.error);
  return parse(text.value);
}
