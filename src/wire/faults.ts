import type { ClusterId } from "#values";
import type { Refusal } from "./applied.ts";
import type { GatewayBody, MemberBody } from "./bodies.ts";
import type { Ledger } from "./ledger.ts";
import type { Member } from "./member.ts";
import type { OwnedCandidate } from "./partition.ts";
import type { Envelope, Order } from "./record.ts";
import { isSealedBy } from "./signature.ts";

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

/** olderThan says how a record that came is behind the one that is held. */
export function olderThan({ order }: Envelope, held: Order): string {
  return `${order.epoch}.${order.seq} is older than ${held.epoch}.${held.seq}, which is held`;
}

/** unknownMember is for a record of a membership that is not in force. */
export function unknownMember(body: {
  readonly cluster: ClusterId;
  readonly generation: number;
}): Omit<Refusal, "key"> {
  return { code: "unknown-member", message: `${body.cluster} is no member at generation ${body.generation}` };
}

/** unsigned is for a record that its member's key did not sign. */
export function unsigned(member: Member, envelope: Envelope): Omit<Refusal, "key"> | undefined {
  return isSealedBy(member.key, envelope) ? undefined : { code: "unsigned", message: "not signed by the member" };
}

/** gatewayFault: a gateway speaks by its member's key, under the index and the addresses that were granted to it. */
export function gatewayFault(
  member: Member,
  ledger: Ledger,
  { body, envelope }: { readonly body: GatewayBody; readonly envelope: Envelope },
): Omit<Refusal, "key"> | undefined {
  const fault = unsigned(member, envelope);
  if (fault !== undefined) return fault;
  const grant = ledger.holding(body.cluster)?.gateways.find(({ name }) => name === body.name);
  if (grant?.index !== body.index)
    return { code: "not-owned", message: `index ${body.index} was not granted to ${body.name}` };
  if (ledger.owns(body.cluster, body.address)) return undefined;
  return { code: "not-owned", message: `${body.address} is not an address of ${body.cluster}` };
}

/** foreignAddress: no member may say anything about an address that was not granted to it. */
export function foreignAddress(ledger: Ledger, candidate: OwnedCandidate): readonly Refusal[] {
  const { cluster } = candidate.at;
  const addresses =
    candidate.kind === "export"
      ? candidate.body.slices.flatMap(({ endpoints, draining = [] }) =>
          [...endpoints, ...draining].map((endpoint) => endpoint.address),
        )
      : candidate.body.nodes.map((node) => node.address);
  const wrong = addresses.find((address) => !ledger.owns(cluster, address));
  if (wrong === undefined) return [];
  return [{ code: "not-owned", key: candidate.envelope.key, message: `${wrong} is not an address of ${cluster}` }];
}
