import { groupIds } from "./group-ids.ts";
import { groupText } from "./nexthops.ts";
import { groupLine } from "./plan.ts";
import { routeText } from "./route.ts";
import type { MemberRoute, TunnelPlan } from "./tunnel-plan.ts";
import { carries, groupOf, wanted } from "./wanted.ts";

/** steer lists the lines of `ip` that take flows off ways that went down between two plans, and nothing else. It looks
 *  at no machine: reading one first would double the time that packets are lost. Each line is right whatever was there,
 *  or fails and changes nothing; the plan that follows puts right what it found. */
export function steer(before: TunnelPlan, after: TunnelPlan): readonly string[] {
  const ids = groupIds(after.members.map(({ cluster }) => cluster));
  return after.members.flatMap((member) => {
    const was = before.members.find(({ cluster }) => cluster === member.cluster);
    const group = ids.get(member.cluster) ?? 0;
    return was === undefined ? [] : [...leaveTunnels(group, before, after, member), ...leaveWays(group, was, member)];
  });
}

/** Fewer ways are left: the group shrinks to them. */
function leaveWays(group: number, was: MemberRoute, member: MemberRoute): readonly string[] {
  const [had, has] = [was, member].map(({ ways }) => ways.filter((way) => way.up).length);
  if (had === undefined || has === undefined || has === 0 || has >= had) return [];
  const members = groupOf(member, []);
  return groupText(members) === groupText(groupOf(was, [])) ? [] : [groupLine("replace", group, members)];
}

/** No way is left, and a sibling answers: its routes stand below ours, which go. */
function leaveTunnels(
  group: number,
  before: TunnelPlan,
  after: TunnelPlan,
  member: MemberRoute,
): readonly string[] {
  if (carries(member, after)) return [];
  const nothing = { groups: new Map(), sysctls: new Map() };
  const routes = wanted(nothing, before).routes.filter(
    ({ nhid, dst }) => nhid === group && member.prefixes.includes(dst),
  );
  return routes.map((route) => `route del ${routeText(route)}`);
}
