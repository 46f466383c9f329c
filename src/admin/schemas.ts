import { z } from "zod";
import { parseCidr, parseClusterId, type Result } from "#values";

/** The shapes of the admin API. Requests are checked by them, answers are typed by them, and the OpenAPI document is
 *  written from them. Times are RFC 3339, spans are seconds, what is absent is null. */

const time = z.iso.datetime().describe("RFC 3339");
const text = z.string();
/** Counts and revisions are safe integers: a JSON number that is larger would be another number when read. */
const count = z.int().min(0);
export const revision = count.describe("The broker's count of accepted writes that this answer shows");

/** checked is text that one of our parsers takes; the document shows it as its pattern. */
function checked<T>(parse: (text: string) => Result<T>, pattern: RegExp, example: string) {
  return z
    .string()
    .max(64)
    .regex(pattern)
    .meta({ examples: [example] })
    .transform((given, context): T => {
      const result = parse(given);
      if (result.ok) return result.value;
      context.addIssue({ code: "custom", message: result.error });
      return z.NEVER;
    });
}

/** A member's id in a request; a wrong one is refused with the rule that it breaks. */
export const clusterId = checked(parseClusterId, /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "amber");
/** A network in CIDR form without host bits. Which supernet it must lie in is for the desk to say. */
const prefix = checked(parseCidr, /^[0-9a-fA-F.:]+\/[0-9]{1,3}$/, "242.9.0.0/16");

/** Cluster: a member, what it may use, and who of it is connected. One that has left or was evicted stays in the list. */
export const cluster = z.strictObject({
  id: text,
  uid: z.uuid(),
  generation: count.describe("Rises when a cluster that had left, or was evicted, joins again"),
  key: text.describe("Ed25519 identity key in base64url"),
  fingerprint: text,
  state: z.enum(["live", "left", "evicted"]),
  joinedAt: time,
  gateways: z.array(
    z.strictObject({
      name: text,
      index: z.int().min(0).max(7),
      address: text.nullable().describe("Where its session comes from"),
      connected: z.boolean(),
      lastSeen: time.nullable(),
      revision: count.nullable().describe("The revision that it holds, as it last said"),
      version: text.nullable(),
    }),
  ),
  prefixes: z.array(z.strictObject({ kind: z.enum(["pods", "nodes"]), prefix: text, local: text.nullable() })),
  exports: count,
});

/** Allocation: one prefix of the supernet and whose it is; fields that its kind does not have are null. */
export const allocation = z.strictObject({
  prefix: text,
  kind: z.enum(["pods", "nodes", "service", "reserved"]),
  cluster: text.nullable(),
  uid: z.uuid().nullable(),
  local: text.nullable(),
  namespace: text.nullable(),
  name: text.nullable(),
  askedBy: text.nullable(),
  note: text.nullable(),
  state: z.enum(["live", "quarantine"]),
  since: time,
});

/** AllocationAsk: a prefix to keep free by hand. The note says why, for whoever finds it in the tree years later. */
export const allocationAsk = z.strictObject({
  prefix,
  note: z
    .string()
    .min(1)
    .max(200)
    .meta({ examples: ["the office network"] }),
});

/** Invite: a join token without the token: neither its secret nor the hash of it has a field here. */
export const invite = z.strictObject({
  id: text,
  cluster: text.nullable().describe("The only cluster that may use it"),
  createdAt: time,
  expiresAt: time,
  uses: count,
  used: count,
  revokedAt: time.nullable(),
  by: text,
  state: z.enum(["usable", "used-up", "expired", "revoked"]),
});

/** InviteAsk: without any field it is an invite for one cluster of any name, good for fifteen minutes. Thirty days is
 *  the most: a token is a credential that somebody keeps in a file. */
export const inviteAsk = z.strictObject({
  cluster: clusterId.nullable().default(null),
  ttlSeconds: z.number().min(1).max(2_592_000).default(900),
  uses: z.int().min(1).max(1000).default(1),
});

/** Kinds of records, as their keys begin. */
export const RECORD_KINDS = ["member", "eviction", "grant", "leave", "gateway", "head", "export", "nodes"] as const;

/** Record: as its owner signed it. The body stays the text that was signed, since only that can be verified. */
export const record = z.strictObject({
  key: text,
  kind: z.enum(RECORD_KINDS),
  cluster: text.nullable().describe("Its owner; null for a grant, which is the broker's"),
  revision: count.describe("The revision at which it came to be what it is"),
  order: z.strictObject({ epoch: count, seq: count }),
  body: text.describe("The exact JSON text that was signed"),
  signature: text.nullable().describe("Null for what its cluster's head covers"),
});

const gateway = z.strictObject({ cluster: text, gateway: text });
/** Latency: what one gateway measures of the way to another; the way back is a line of its own. */
export const latency = z.strictObject({
  from: gateway,
  to: gateway,
  up: z.boolean(),
  rttSeconds: z.number().nullable(),
  jitterSeconds: z.number().nullable(),
  lossRatio: z.number(),
  at: time,
});

/** AuditRow: one thing that was done or refused. `hash` chains it to the row before it. */
export const auditRow = z.strictObject({
  number: count.describe("From 1, without gaps"),
  revision: count,
  time,
  actor: text,
  action: text,
  subject: text,
  outcome: z.enum(["done", "refused"]),
  detail: text,
  hash: text.describe("Over the hash before it and all else in the row"),
});

/** Answers that are not lists carry the revision beside their own fields. */
export const clusterAnswer = z.strictObject({ revision, ...cluster.shape });
export const allocationAnswer = z.strictObject({ revision, ...allocation.shape });
export const inviteAnswer = z.strictObject({
  revision,
  ...invite.shape,
  token: text
    .nullable()
    .describe("Shown once: null when an Idempotency-Key repeats a request, whose token is not kept"),
});
export const doneAnswer = z.strictObject({ revision });

/** listOf is one page of a list. */
export function listOf<T extends z.ZodType>(item: T) {
  return z.strictObject({
    revision,
    items: z.array(item),
    continue: text.nullable().describe("Give it back as ?continue= for the next page; null at the end"),
  });
}

/** A number in a query is plain digits: no sign, no exponent, no spaces. */
function digits(min: number, max: number) {
  const read = (given: unknown): unknown =>
    typeof given === "string" && /^(0|[1-9]\d{0,15})$/.test(given) ? Number(given) : given;
  return z.preprocess(read, z.int().min(min).max(max));
}

/** Query of every list. */
export const paging = {
  limit: digits(1, 1000).default(100),
  continue: z.string().min(1).max(1000).optional(),
};
/** A revision, or the number of a row, above which to begin. */
export const since = digits(0, Number.MAX_SAFE_INTEGER);
