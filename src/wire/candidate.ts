import type { KeyObject } from "node:crypto";
import { err, ok, type Result } from "#values";
import {
  type EvictionBody,
  type ExportBody,
  evictionBody,
  exportBody,
  type GatewayBody,
  type GrantBody,
  gatewayBody,
  grantBody,
  type HeadBody,
  headBody,
  type LeaveBody,
  leaveBody,
  type MemberBody,
  memberBody,
  type NodesBody,
  nodesBody,
  parseBody,
} from "./bodies.ts";
import { isPlainExport } from "./plain-export.ts";
import { type Envelope, parseKey, type RecordKey } from "./record.ts";
import { digestOf, isSealedBy } from "./signature.ts";

interface Parsed<K extends RecordKey["kind"], Body> {
  readonly kind: K;
  readonly at: Extract<RecordKey, { kind: K }>;
  readonly body: Body;
  readonly envelope: Envelope;
  readonly digest: string;
}

/** Candidate is a record whose key, body and (for what the allocation key signs) signature are right. Whether it is
 *  owned, newest and covered by its head depends on what is already known: the catalogue decides that. */
export type Candidate =
  | Parsed<"member", MemberBody>
  | Parsed<"eviction", EvictionBody>
  | Parsed<"grant", GrantBody>
  | Parsed<"leave", LeaveBody>
  | Parsed<"gateway", GatewayBody>
  | Parsed<"head", HeadBody>
  | Parsed<"export", ExportBody>
  | Parsed<"nodes", NodesBody>;

const SCHEMAS = {
  member: memberBody,
  eviction: evictionBody,
  grant: grantBody,
  leave: leaveBody,
  gateway: gatewayBody,
  head: headBody,
  export: exportBody,
  nodes: nodesBody,
} as const;

/** examine parses a record from outside and checks all that needs no knowledge of other records. */
export function examine(envelope: Envelope, allocationKey: KeyObject): Result<Candidate> {
  const at = parseKey(envelope.key);
  if (!at.ok) return at;
  const { kind } = at.value;
  const body =
    kind === "export"
      ? parseBody(exportBody, envelope.body, isPlainExport)
      : parseBody<unknown>(SCHEMAS[kind], envelope.body);
  if (!body.ok) return err(`${envelope.key}: ${body.error}`);
  const candidate = { kind, at: at.value, body: body.value, envelope, digest: digestOf(envelope) } as Candidate;
  const fault = mismatch(candidate);
  if (fault !== undefined) return err(`${envelope.key}: ${fault}`);
  const byBroker = kind === "member" || kind === "eviction" || kind === "grant";
  if (byBroker && !isSealedBy(allocationKey, envelope)) return err(`${envelope.key}: not signed by the allocation key`);
  return ok(candidate);
}

/** stated is a record that this process has just written itself, with the body that its text was made from: it need not
 *  be parsed again to be known. What the catalogue asks of a candidate is asked of it all the same. */
export function stated(envelope: Envelope, body: unknown): Candidate {
  const at = parseKey(envelope.key);
  if (!at.ok) throw new Error(`a record of our own has a wrong key: ${at.error}`);
  return { kind: at.value.kind, at: at.value, body, envelope, digest: digestOf(envelope) } as Candidate;
}

/** The key and the body must name the same thing: a body never moves a record to another owner. */
function mismatch(candidate: Candidate): string | undefined {
  switch (candidate.kind) {
    case "grant":
      return candidate.body.number === candidate.at.number ? undefined : "body names another grant number";
    case "export": {
      const { at, body } = candidate;
      return at.namespace === body.namespace && at.name === body.name ? undefined : "body names another service";
    }
    case "gateway":
      if (candidate.body.name !== candidate.at.name) return "body names another gateway";
      return candidate.body.cluster === candidate.at.cluster ? undefined : "body names another cluster";
    case "nodes":
      return undefined;
    case "leave":
    case "eviction":
      if ((candidate.at.generation ?? candidate.body.generation) !== candidate.body.generation)
        return "body names another generation";
      return candidate.body.cluster === candidate.at.cluster ? undefined : "body names another cluster";
    default:
      return candidate.body.cluster === candidate.at.cluster ? undefined : "body names another cluster";
  }
}
