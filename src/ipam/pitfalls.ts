import { type Cidr, covers, overlaps } from "#values";
import { type Finding, finding, named, usesOf } from "./finding.ts";
import type { Plan } from "./plan.ts";

/** Docker gives its bridge `docker0` the first of its default pools, which go on through 172.16.0.0/12. */
const DOCKER_BRIDGE = "172.17.0.0/16" as Cidr;
const DOCKER_POOLS = "172.16.0.0/12" as Cidr;
/** RFC 1112 section 4: class E, "reserved for future use", and still so in the IANA registry. */
const CLASS_E = "240.0.0.0/4" as Cidr;
/** RFC 6598: shared address space of carriers. */
const SHARED = "100.64.0.0/10" as Cidr;

/** dockerBridge: a host with Docker sends what is for 172.17.0.0/16 to its own bridge. */
export function dockerBridge(plan: Plan): readonly Finding[] {
  const rule = "docker-bridge";
  const uses = usesOf(plan);
  const hit = uses.filter((use) => overlaps(use.cidr, DOCKER_BRIDGE));
  if (hit.length > 0) {
    const remedy = "plan another network, or move Docker's with `bip` in its daemon.json on every node";
    return hit.map((use) => {
      const why = `the ${use.what} ${use.cidr} of ${use.id} overlaps ${DOCKER_BRIDGE}, Docker's bridge on any host with it`;
      return finding(rule, "warn", named([use]), why, remedy);
    });
  }
  const near = uses.filter((use) => overlaps(use.cidr, DOCKER_POOLS));
  const why =
    near.length === 0
      ? `nothing overlaps Docker's bridge ${DOCKER_BRIDGE}`
      : `not in Docker's bridge ${DOCKER_BRIDGE}, but in ${DOCKER_POOLS}, where its further networks come from`;
  return [finding(rule, "pass", near.length === 0 ? "all networks" : named(near), why)];
}

/** classE: the default supernet is chosen because nobody uses it, and that has a price. */
export function classE(plan: Plan): readonly Finding[] {
  const rule = "class-e";
  const hit = plan.supernets.filter((net) => overlaps(net, CLASS_E));
  if (hit.length === 0) return [finding(rule, "pass", plan.supernets.join(", "), `not in class E, ${CLASS_E}`)];
  const why = `${CLASS_E} is class E: Linux carries it, but some other systems and fabrics drop it, and so do some firewalls`;
  const remedy =
    "between gateways it travels inside tunnels; where nodes or CNIs drop it, plan an unused range such as 100.64.0.0/10";
  return hit.map((net) => finding(rule, "warn", net, why, remedy));
}

/** sharedSpace: 100.64.0.0/10 is the usual way out of class E, and others had the same idea. */
export function sharedSpace(plan: Plan): readonly Finding[] {
  const rule = "shared-address-space";
  const uses = usesOf(plan).filter((use) => overlaps(use.cidr, SHARED) && !inSupernet(plan, use.cidr));
  const subjects = [
    ...plan.supernets.filter((net) => overlaps(net, SHARED)),
    ...(uses.length > 0 ? [named(uses)] : []),
  ];
  if (subjects.length === 0) return [finding(rule, "pass", "all networks", `nothing overlaps ${SHARED}`)];
  const why = `${SHARED} is also used by Tailscale, NetBird, carrier-grade NAT and some clouds' own services`;
  const remedy = "make sure that no node has such a route, or plan another range";
  return subjects.map((subject) => finding(rule, "warn", subject, why, remedy));
}

/** inSupernet: a prefix by hand says nothing that its supernet has not said. */
function inSupernet({ supernets }: Plan, cidr: Cidr): boolean {
  return supernets.some((net) => covers(net, cidr));
}
