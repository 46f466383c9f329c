import type { Refusal } from "./applied.ts";
import type { MemberBody } from "./bodies.ts";
import type { Ledger } from "./ledger.ts";
import type { Member } from "./member.ts";
import type { OwnedCandidate } from "./partition.ts";

/** membershipFault: a membership is said once. No later word changes its key or its age, or brings it back after its
 *  end; and the next generation needs the end of the one that is known. */
export function membershipFault({ body: held, gone }: Member, body: MemberBody): Omit<Refusal, "key"> | undefined {
  const { cluster, generation } = body;
  if (generation < held.generation) return { code: "stale", message: `generation ${held.generation} is known already` };
  if (generation > held.generation) {
    const message = `generation ${generation} without an end of ${held.generation}`;
    return gone === null ? { code: "key-swap", message } : undefined;
  }
  if (held.key !== body.key) return { code: "key-swap", message: `member ${cluster} is pinned to another key` };
  const same = held.uid === body.uid && held.joinedAt === body.joinedAt;
  return same ? undefined : { code: "equivocation", message: `two contents of generation ${generation}` };
}

/** foreignAddress: no member may say anything about an address that was not granted to it. */
export function foreignAddress(ledger: Ledger, candidate: OwnedCandidate): readonly Refusal[] {
  const { cluster } = candidate.at;
  const addresses =
    candidate.kind === "export"
      ? candidate.body.slices.flatMap((slice) => slice.endpoints.map((endpoint) => endpoint.address))
      : candidate.body.nodes.map((node) => node.address);
  const wrong = addresses.find((address) => !ledger.owns(cluster, address));
  if (wrong === undefined) return [];
  return [{ code: "not-owned", key: candidate.envelope.key, message: `${wrong} is not an address of ${cluster}` }];
}
