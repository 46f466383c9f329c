import type { Ip } from "#values";
import type { ServiceBackend } from "./service-entry.ts";

/** Target is an endpoint that answers for a service, and the member whose it is. */
export interface Target {
  readonly member: string;
  readonly address: Ip;
  readonly port: number;
}

/** equalShares gives every member an equal share, and within it every endpoint: what holds before there is a policy. */
export function equalShares(targets: readonly Target[]): readonly ServiceBackend[] {
  const perMember = new Map<string, number>();
  for (const { member } of targets) perMember.set(member, (perMember.get(member) ?? 0) + 1);
  const counts = [...perMember.values()];
  const even = counts.every((n) => n === counts[0]);
  return targets.map(({ member, address, port }) => {
    return { address, port, weight: even ? 1 : 1 / (perMember.get(member) ?? 1) };
  });
}
