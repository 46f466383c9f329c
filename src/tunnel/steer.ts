import { groupIds } from "./group-ids.ts";
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
    // What nobody has judged yet depends on what is there, which only a full plan looks at.
    const known = member.ways.every((way) => way.up !== null);
    if (was === undefined || !known || countUp(member) >= countUp(was)) return [];
    return countUp(member) === 0
      ? leaveTunnels(group, before, after, member)
      : [groupLine("replace", group, groupOf(member, []))];
  });
}

function countUp({ ways }: MemberRoute): number {
  return ways.filter((way) => way.up === true).length;
}

/** No way is left, and a sibling answers: its routes stand below ours, which go. */
function leaveTunnels(group: number, before: TunnelPlan, after: TunnelPlan, member: MemberRoute): readonly string[] {
  if (carries(member, after, [])) return [];
  const nothing = { groups: new Map(), sysctls: new Map() };
  const routes = wanted(nothing, before).routes.filter(
    ({ nhid, dst }) => nhid === group && member.prefixes.includes(dst),
  );
  return routes.map((route) => `route del ${routeText(route)}`);
}
