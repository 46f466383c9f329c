import type { Room } from "#life";
import type { PeerState } from "#probe";
import type { ClusterId } from "#values";
import type { Member } from "#wire";
import type { Gateway } from "./state.ts";

/** How long a peer may be ahead of the catalogue before that is more than a message on its way. */
const AHEAD_MS = 10_000;
const LOOK_MS = 1000;
const CODE = "broker-withholds";

/** createWithholding has every probe say how far our own records have come, and compares what the peers' echoes say of
 *  theirs with the catalogue: a peer that is ahead for long shows that the broker does not hand out what it was given. */
export function createWithholding(gateway: Gateway): Room {
  const { clock, prober, follower, options, troubles, session } = gateway;
  const ahead = new Map<ClusterId, number>();
  let said: string | undefined;
  return {
    name: "withholding",
    async run(signal) {
      while (!signal.aborted) {
        const own = follower.catalogue.members.get(options.cluster);
        const root = own?.head?.body.root;
        // What the broker cannot have yet is nothing that it withholds.
        if (root !== said && own !== undefined && session.state === "live") prober.prober?.setState(stateOf(own));
        if (prober.prober !== null && session.state === "live") said = root;
        const now = clock.monotonic();
        for (const { id, peerState } of prober.reports()) {
          const cluster = id.slice(0, id.indexOf("/")) as ClusterId;
          const behind = peerState !== null && isAhead(peerState, follower.catalogue.members.get(cluster));
          if (!behind) {
            ahead.delete(cluster);
            troubles.clear(CODE, cluster);
            continue;
          }
          const since = ahead.get(cluster) ?? now;
          ahead.set(cluster, since);
          if (now - since < AHEAD_MS) continue;
          const title = "The broker withholds records";
          const detail = `${cluster} has published up to ${peerState.epoch}.${peerState.seq}, which has not come through the broker`;
          troubles.set({ code: CODE, severity: "warning", title, subject: cluster, detail });
        }
        await clock.sleep(LOOK_MS, signal).catch(() => {});
      }
    },
  };
}

/** stateOf is what our probes carry; null before there is a head. */
export function stateOf({ body, head }: Member): PeerState | null {
  if (head === null) return null;
  const headHash = Buffer.from(head.body.root, "base64url").toString("hex");
  return { generation: body.generation, epoch: head.order.epoch, seq: head.order.seq, headHash };
}

/** isAhead reports whether a peer says that its own records have come further than we know, or that they are others: a
 *  broker that shows two members different views of a third is found out by what the third says itself. The hash that a
 *  probe carries is the beginning of ours. */
export function isAhead(said: PeerState, member: Member | undefined): boolean {
  if (member === undefined || member.gone !== null) return false;
  const known = member.head?.order ?? { epoch: 0, seq: 0 };
  if (said.generation !== member.body.generation) return said.generation > member.body.generation;
  if (said.epoch === known.epoch && said.seq === known.seq && member.head !== null) {
    return !Buffer.from(member.head.body.root, "base64url").toString("hex").startsWith(said.headHash);
  }
  return said.epoch > known.epoch || (said.epoch === known.epoch && said.seq > known.seq);
}
