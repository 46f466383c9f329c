import { z } from "zod";
import { err, ok, parseSignature, type Result, type Revision, type Signature } from "#values";
import { cidr, cluster, count, identityKey, ip, nodeName, tunnelKey, uid } from "./bodies.ts";
import type { Envelope } from "./record.ts";

/** The session between a gateway and the broker: JSON text frames over one WebSocket.
 *
 *    gateway                         broker
 *    hello(versions, features)  ──►
 *                               ◄──  challenge(version, nonce) | refused
 *    login(who, proof[, token]) ──►
 *                               ◄──  welcome(index, supernets, …) | refused
 *    [known…] sync(cursor)      ──►   known: what both should have, where the digests in the welcome differ
 *                               ◄──  [want]
 *    [tell…]                    ──►   what the broker lacks, whoever's it is
 *                               ◄──  batch… (more: false ends the first state), then batch for every change
 *    publish | claim | leave …  ──►
 *                               ◄──  ack | nack | epoch
 *    report (every 5 s)         ──►                                                                             */

/** Versions of the protocol that this program speaks: the newest, and the one before it once there are two (F38). */
export const PROTOCOL = { oldest: 1, newest: 1 } as const;
/** Features of this program; a session uses those that both ends have. */
export const FEATURES: readonly string[] = ["grants", "chronicle"];
/** Largest frame in bytes, in either direction. */
export const MAX_FRAME = 1 << 20;
/** Most records in one message: verification of so many stays below a few milliseconds. */
export const MAX_BATCH = 512;
/** Most records by which a login shows its membership. */
export const MAX_PROOFS = 16;
/** Most marks in one message. */
export const MAX_MARKS = 2000;

const signature = z.string().transform((text, context): Signature => {
  const result = parseSignature(text);
  if (result.ok) return result.value;
  context.addIssue({ code: "custom", message: result.error });
  return z.NEVER;
});

const envelope: z.ZodType<Envelope> = z.object({
  key: z.string().min(1).max(400),
  order: z.object({ epoch: count, seq: count }),
  body: z.string().max(900_000),
  signature: signature.nullable(),
});

/** What a broker counts for a member and the member goes on from: a number near the end of all numbers would leave it
 *  nothing to say, for ever. */
const granted = count.max(2 ** 48);

const revision = count.transform((value) => value as Revision);
const id = z.number().int().min(0).max(0xffff_ffff);
const text = z.string().max(2000);
const cursor = z.object({ store: uid, revision });
const puts = z.array(envelope).max(MAX_BATCH);
/** One record of the chronicle, by what it is and not by what it says. */
const mark = z.object({
  key: z.string().min(1).max(400),
  order: z.object({ epoch: count, seq: count }),
  digest: z.string().max(64),
});
const removes = z.array(z.string().max(400)).max(MAX_BATCH * 4);

/** What a gateway tells of its network at login, so that an overlap is refused before anything is granted. */
const network = z.object({
  globalnet: z.boolean(),
  pods: z.array(z.object({ cidr, wanted: cidr.nullable() })).max(16),
  services: z.array(cidr).max(16),
  /** Networks that this host reaches by other routes, each with what it is. */
  routes: z.array(z.object({ cidr, what: z.string().max(200) })).max(1000),
});

const latency = z.object({
  cluster,
  gateway: nodeName,
  up: z.boolean(),
  rttSeconds: z.number().min(0).nullable(),
  jitterSeconds: z.number().min(0).nullable(),
  lossRatio: z.number().min(0).max(1),
});

const fromGateway = z.discriminatedUnion("t", [
  z.object({
    t: z.literal("hello"),
    protocols: z.tuple([count, count]),
    features: z.array(z.string().max(40)).max(100),
    version: z.string().max(64),
  }),
  z.object({
    t: z.literal("login"),
    cluster,
    uid,
    generation: count,
    gateway: nodeName,
    key: identityKey,
    tunnelKey: tunnelKey.nullable(),
    source: z.string().max(200).nullable(),
    join: z.object({ id: z.string().max(64), secret: z.string().max(128) }).nullable(),
    network,
    proof: signature,
    /** What made it a member, and ended its earlier memberships: a broker that was restored may not know it. */
    membership: z.array(envelope).max(MAX_PROOFS).nullish(),
    /** The host, until it is booted again: two with one gateway's name and keys are told apart by it. */
    host: z.string().max(64).nullish(),
  }),
  z.object({ t: z.literal("known"), marks: z.array(mark).max(MAX_MARKS), more: z.boolean() }),
  z.object({ t: z.literal("tell"), put: puts, more: z.boolean() }),
  z.object({ t: z.literal("sync"), cursor: cursor.nullable() }),
  z.object({ t: z.literal("publish"), id, put: puts, remove: removes }),
  /** above: the highest epoch that the gateway has seen of its member. */
  z.object({ t: z.literal("claim"), id, above: count.nullish() }),
  /** The speaker takes out a sibling that is not there any more. */
  z.object({ t: z.literal("withdraw"), id, gateway: nodeName }),
  z.object({ t: z.literal("yield"), id }),
  z.object({ t: z.literal("leave"), id, record: envelope.nullable() }),
  z.object({ t: z.literal("report"), revision, peers: z.array(latency).max(4096) }),
  z.object({ t: z.literal("snapshot"), clusters: z.array(cluster).max(4096) }),
]);

const fromBroker = z.discriminatedUnion("t", [
  z.object({
    t: z.literal("challenge"),
    protocol: count,
    features: z.array(z.string().max(40)).max(100),
    nonce: z.string().min(22).max(64),
    version: z.string().max(64),
  }),
  z.object({
    t: z.literal("refused"),
    code: z.string().max(64),
    message: text,
    retry: z.boolean(),
    record: envelope.nullish(),
  }),
  z.object({
    t: z.literal("welcome"),
    uid,
    generation: count,
    store: uid,
    revision,
    supernets: z.array(cidr).min(1).max(2),
    allocationKey: identityKey,
    /** Null while a restored broker does not know what was granted. */
    index: z.number().int().min(0).max(7).nullable(),
    /** Over the chronicle as the broker has it. */
    digest: z.string().max(64).nullish(),
    /** Highest incarnation and epoch that the broker knows of this gateway and member. */
    incarnation: granted,
    epoch: granted,
    /** The head of this member that the broker holds: where it differs, the speaker has something to say. */
    head: z.object({ order: z.object({ epoch: granted, seq: granted }), root: z.string().max(64) }).nullable(),
    /** Where the broker saw the gateway's packets come from. */
    seen: ip,
  }),
  z.object({
    t: z.literal("batch"),
    revision,
    put: puts,
    remove: removes,
    /** The state of everything, or of the members that asked: what is absent under a matching head is gone. */
    snapshot: z.boolean(),
    more: z.boolean(),
  }),
  z.object({ t: z.literal("want"), keys: z.array(z.string().max(400)).max(MAX_MARKS) }),
  /** Gateways of the member that have been away for so long that its speaker should take them out. */
  z.object({ t: z.literal("silent"), gateways: z.array(nodeName).max(8) }),
  z.object({ t: z.literal("ack"), id, revision }),
  z.object({ t: z.literal("nack"), id, code: z.string().max(64), message: text }),
  z.object({ t: z.literal("epoch"), id, epoch: granted }),
]);

export type FromGateway = z.infer<typeof fromGateway>;
export type FromBroker = z.infer<typeof fromBroker>;
export type Login = Extract<FromGateway, { t: "login" }>;
export type Network = Login["network"];
export type Welcome = Extract<FromBroker, { t: "welcome" }>;
export type Batch = Omit<Extract<FromBroker, { t: "batch" }>, "t">;
export type Report = Extract<FromGateway, { t: "report" }>;
export type Mark = z.infer<typeof mark>;
export type Latency = z.infer<typeof latency>;
export type Cursor = z.infer<typeof cursor>;

/** decodeFromGateway and decodeFromBroker are the doors: a frame becomes a message or a reason, never an exception. */
export function decodeFromGateway(frame: string): Result<FromGateway> {
  return decode(fromGateway, frame);
}

export function decodeFromBroker(frame: string): Result<FromBroker> {
  return decode(fromBroker, frame);
}

export function encode(message: z.input<typeof fromGateway> | z.input<typeof fromBroker>): string {
  return JSON.stringify(message);
}

/** negotiate chooses the newest version that both ends speak; undefined where there is none (F39). */
export function negotiate([oldest, newest]: readonly [number, number]): number | undefined {
  const chosen = Math.min(newest, PROTOCOL.newest);
  return chosen >= Math.max(oldest, PROTOCOL.oldest) ? chosen : undefined;
}

function decode<T>(schema: z.ZodType<T>, frame: string): Result<T> {
  if (frame.length > MAX_FRAME) return err(`a frame of ${frame.length} exceeds ${MAX_FRAME}`);
  let raw: unknown;
  try {
    raw = JSON.parse(frame);
  } catch {
    return err("a frame is not JSON");
  }
  const result = schema.safeParse(raw);
  if (result.success) return ok(result.data);
  const issue = result.error.issues[0];
  return err(`${issue?.path.join(".") || "message"}: ${issue?.message ?? "wrong"}`);
}
