import { z } from "zod";

/** The stable JSON of the verbs, field by field as it is promised: strict, so that a field more is seen, too. */

const seconds = z.number().min(0);
const secondsOrNull = seconds.nullable();
const severity = z.enum(["info", "warning", "critical"]);

export const statusShape = z.strictObject({
  role: z.enum(["broker", "gateway"]),
  cluster: z.string().nullable(),
  name: z.string().nullable(),
  version: z.string(),
  revision: z.number().int().nullable(),
  stateAgeSeconds: secondsOrNull,
  broker: z.strictObject({ url: z.string().nullable(), connected: z.boolean() }),
  dataPlane: z.strictObject({
    mode: z.enum(["kernel", "userspace", "none"]),
    implementation: z.string().nullable(),
    version: z.string().nullable(),
  }),
  peers: z.array(
    z.strictObject({
      cluster: z.string(),
      name: z.string(),
      index: z.number().int().min(0).max(7),
      interface: z.string().regex(/^mrd[0-7]$/),
      endpoint: z.string().nullable(),
      mode: z.enum(["direct", "globalnet"]),
      up: z.boolean(),
      draining: z.boolean(),
      handshakeAgeSeconds: secondsOrNull,
      rttSeconds: secondsOrNull,
      lossRatio: z.number().min(0).max(1),
      receivedBytes: z.number().int().min(0),
      sentBytes: z.number().int().min(0),
    }),
  ),
  exports: z.array(
    z.strictObject({
      namespace: z.string(),
      name: z.string(),
      type: z.enum(["ClusterSetIP", "Headless"]),
      address: z.ipv4().nullable(),
      endpoints: z.number().int().min(0),
    }),
  ),
  imports: z.array(
    z.strictObject({
      namespace: z.string(),
      name: z.string(),
      type: z.enum(["ClusterSetIP", "Headless"]),
      clusters: z.array(z.string()),
      stale: z.boolean(),
    }),
  ),
  troubles: z.array(z.strictObject({ code: z.string(), severity, title: z.string(), detail: z.string() })),
  // p99 beside the greatest: both are promised for large folders.
  loop: z.strictObject({ maxDelaySeconds: seconds, p99DelaySeconds: seconds }),
});

/** A broker says how many members and sessions it has, too. */
export const brokerStatusShape = statusShape.extend({
  members: z.number().int().min(0),
  sessions: z.number().int().min(0),
});

export const ipamListShape = z.array(
  z.strictObject({
    cluster: z.string().nullable(),
    kind: z.enum(["pods", "nodes", "service"]),
    prefix: z.cidrv4(),
    local: z.cidrv4().nullable(),
    namespace: z.string().nullable(),
    name: z.string().nullable(),
    state: z.enum(["live", "quarantine"]),
    since: z.iso.datetime().nullable(),
  }),
);

export const whoisShape = z.strictObject({
  address: z.ipv4(),
  cluster: z.string().nullable(),
  kind: z.enum(["pods", "nodes", "service"]),
  local: z.ipv4().nullable(),
  namespace: z.string().nullable(),
  name: z.string().nullable(),
  since: z.iso.datetime().nullable(),
});

export const explainShape = z.strictObject({
  question: z.string(),
  answer: z.array(z.string()),
  reason: z.string(),
  steps: z.array(z.strictObject({ stage: z.string(), subject: z.string(), verdict: z.string(), why: z.string() })),
});

export const diagnoseShape = z.array(
  z.strictObject({
    check: z.string(),
    verdict: z.enum(["pass", "warn", "fail", "skip"]),
    reason: z.string(),
    remedy: z.string().nullable(),
  }),
);

/** Findings of `ipam plan`. */
export const planShape = z.array(
  z.strictObject({
    rule: z.string(),
    verdict: z.enum(["pass", "warn", "fail"]),
    subject: z.string(),
    why: z.string(),
    remedy: z.string().nullable(),
  }),
);
