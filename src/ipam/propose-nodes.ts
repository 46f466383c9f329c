import {
  type Cidr,
  type ClusterId,
  cidrFamily,
  err,
  type Family,
  type Millis,
  ok,
  type Result,
  type Uid,
} from "#values";
import { type Allocation, granted, type Refusal, refusal, revived } from "./allocation.ts";
import type { Ledger } from "./ledger.ts";
import { memberNumber } from "./number.ts";
import { LAST_NUMBER } from "./pools.ts";
import type { Space } from "./space.ts";

/** NodesAsk asks for global addresses of a member's nodes and gateways. */
export interface NodesAsk {
  readonly cluster: ClusterId;
  readonly uid: Uid;
  readonly family: Family;
  /** One block more than the member has, since those are full. */
  readonly more?: boolean;
}

/** proposeNodes returns all blocks that the member has, resting ones brought back to life, or its first one.
 *  With `more` it returns one further block alone. */
export function proposeNodes(ledger: Ledger, ask: NodesAsk, now: Millis): Result<readonly Allocation[], Refusal> {
  const { cluster, uid, family, more = false } = ask;
  const space = ledger.spaces.get(family);
  if (space === undefined) return err(refusal("unknown", `there is no IPv${family} supernet for the nodes`));
  const held = ledger
    .of(uid)
    .filter((a) => a.kind === "nodes" && cidrFamily(a.prefix) === family)
    .sort((a, b) => space.nodeNumber(a.prefix) - space.nodeNumber(b.prefix));
  const back = more ? held.filter((a) => a.state === "quarantine").slice(0, 1) : held;
  if (back.length > 0) return ok(back.map((a) => revived(a, { cluster }, now)));
  const prefix = held.length > 0 ? further(space) : (numbered(ledger, space, uid) ?? further(space));
  if (prefix !== undefined) return ok([granted({ prefix, kind: "nodes", cluster, uid }, now)]);
  return err(refusal("pool-exhausted", `no /${space.nodeLength} is free in the nodes pool ${space.pools.nodes}`));
}

/** numbered is the block of the member's number, if it is free. */
function numbered(ledger: Ledger, space: Space, uid: Uid): Cidr | undefined {
  const number = memberNumber(ledger, space, uid);
  return number !== undefined && space.isNodeBlockFree(number) ? space.nodeBlock(number) : undefined;
}

/** further is a block without a meaning: from 192 on, where no member has its number, then any but block 0, which
 *  holds the supernet's own first address. */
function further(space: Space): Cidr | undefined {
  for (let n = LAST_NUMBER + 1; n < 256; n++) {
    if (space.isNodeBlockFree(n)) return space.nodeBlock(n);
  }
  return space.first(space.nodeLength, space.nodesButFirst);
}
