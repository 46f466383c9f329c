import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeFromBroker,
  decodeFromGateway,
  encode,
  type FromBroker,
  type FromGateway,
  MAX_BATCH,
  MAX_FRAME,
  negotiate,
  PROTOCOL,
} from "./messages.ts";
import { TestMember } from "./testbed.ts";

const amber = new TestMember("amber", 1);
const proof = randomBytes(64).toString("base64url");
const key = randomBytes(32).toString("base64url");
const record = amber.gateway();
const LOGIN = {
  t: "login",
  ...amber.who,
  gateway: "gw",
  key,
  tunnelKey: null,
  source: null,
  join: null,
  network: {
    globalnet: true,
    pods: [{ cidr: "10.244.0.0/16", wanted: null }],
    services: ["10.96.0.0/16"],
    routes: [{ cidr: "172.31.0.0/24", what: "a route by eth0" }],
  },
  proof,
};
const FROM_GATEWAY: readonly object[] = [
  { t: "hello", protocols: [1, 1], features: ["grants"], version: "0.1.0" },
  LOGIN,
  { ...LOGIN, tunnelKey: Buffer.alloc(32).toString("base64"), join: { id: "i", secret: "s" } },
  { t: "sync", cursor: null },
  { t: "sync", cursor: { store: amber.uid, revision: 7 } },
  { t: "publish", id: 1, put: [record], remove: ["export/amber/shop/web"] },
  { t: "claim", id: 2 },
  { t: "yield", id: 3 },
  { t: "leave", id: 4, record },
  { t: "leave", id: 4, record: null },
  {
    t: "report",
    revision: 7,
    peers: [{ cluster: "birch", gateway: "gw", up: true, rttSeconds: 0.001, jitterSeconds: null, lossRatio: 0 }],
  },
  { t: "snapshot", clusters: ["birch"] },
  { t: "known", marks: [{ key: "member/amber", order: { epoch: 1, seq: 1 }, digest: "x" }], more: false },
  { t: "tell", put: [record], more: true },
  { t: "withdraw", id: 5, gateway: "gw-2" },
];
const FROM_BROKER: readonly object[] = [
  { t: "challenge", protocol: 1, features: [], nonce: "n".repeat(22), version: "0.1.0" },
  { t: "refused", code: "evicted", message: "amber was evicted", retry: false },
  {
    ...{ t: "welcome", uid: amber.uid, generation: 1, store: amber.uid, revision: 7, supernets: ["242.0.0.0/8"] },
    ...{ allocationKey: key, index: 0, incarnation: 0, epoch: 0, head: null, seen: "192.0.2.1" },
  },
  { t: "batch", revision: 8, put: [record, { ...record, signature: null }], remove: [], snapshot: true, more: false },
  { t: "ack", id: 1, revision: 9 },
  { t: "nack", id: 1, code: "not-speaker", message: "another gateway speaks" },
  { t: "epoch", id: 2, epoch: 3 },
  { t: "want", keys: ["grant/1", "head/birch"] },
  { t: "silent", gateways: ["gw-2"] },
];

describe("decodeFromGateway() and decodeFromBroker()", () => {
  test.each(FROM_GATEWAY.map((message) => [(message as { t: string }).t, message]))("take %s as sent", (_, message) => {
    const decoded = decodeFromGateway(encode(message as never));
    expect(decoded).toMatchObject({ ok: true });
    expect(decoded.ok && encode(decoded.value as never)).toBe(encode(message as never));
  });

  test.each(FROM_BROKER.map((message) => [(message as { t: string }).t, message]))("take %s as sent", (_, message) => {
    const decoded = decodeFromBroker(encode(message as never));
    expect(decoded.ok && encode(decoded.value as never)).toBe(encode(message as never));
  });

  test("fields of a later version do not hurt, and stay in the text that was signed", () => {
    const body = `{"later":1,${record.body.slice(1)}`;
    const message = {
      t: "batch",
      revision: 1,
      put: [{ ...record, body, x: 1 }],
      remove: [],
      snapshot: false,
      more: false,
    };
    const decoded = decodeFromBroker(JSON.stringify({ ...message, hint: "new" }));
    expect(decoded.ok && decoded.value.t === "batch" && decoded.value.put[0]?.body).toBe(body);
  });

  test("each side takes nothing that only the other may say", () => {
    for (const message of FROM_BROKER) expect(decodeFromGateway(JSON.stringify(message)).ok).toBe(false);
    for (const message of FROM_GATEWAY) expect(decodeFromBroker(JSON.stringify(message)).ok).toBe(false);
  });

  test("junk is a reason, never an exception", () => {
    const junk = fc.oneof(fc.string(), fc.json(), fc.string({ unit: "binary" }));
    fc.assert(
      fc.property(junk, (frame) => {
        expect(decodeFromGateway(frame).ok).toBe(false);
        expect(decodeFromBroker(frame).ok).toBe(false);
      }),
    );
  });

  test("a message with one field replaced by anything is taken or refused with the field's name", () => {
    const messages = fc.constantFrom(...FROM_GATEWAY, ...FROM_BROKER);
    fc.assert(
      fc.property(messages, fc.nat(), fc.anything(), (message, at, value) => {
        const names = Object.keys(message);
        const field = names[at % names.length] ?? "t";
        const frame = JSON.stringify({ ...message, [field]: value });
        for (const decoded of [decodeFromGateway(frame), decodeFromBroker(frame)]) {
          if (!decoded.ok) expect(decoded.error).not.toBe("");
        }
      }),
      { numRuns: 300 },
    );
  });

  test("a frame that is too long is not even read", () => {
    const long = `{"t":"claim","id":1,"x":"${"x".repeat(MAX_FRAME)}"}`;
    const decoded = decodeFromGateway(long);
    expect(decoded.ok ? "" : decoded.error).toMatch(/^a frame of \d+ exceeds 1048576$/);
  });

  test.each<[string, object]>([
    ["more records than a batch has", { t: "publish", id: 1, put: Array(MAX_BATCH + 1).fill(record), remove: [] }],
    ["more removals", { t: "publish", id: 1, put: [], remove: Array(MAX_BATCH * 4 + 1).fill("x") }],
    ["a negative number", { t: "claim", id: -1 }],
    ["a fraction", { t: "claim", id: 1.5 }],
    ["a revision beyond what a number holds", { t: "sync", cursor: { store: amber.uid, revision: 2 ** 53 } }],
    ["a cluster that is no label", { ...LOGIN, cluster: "Amber!" }],
    ["a proof that is none", { ...LOGIN, proof: "x" }],
    ["a loss above one", { t: "report", revision: 0, peers: [{ ...latency(), lossRatio: 1.1 }] }],
    ["a time before now", { t: "report", revision: 0, peers: [{ ...latency(), rttSeconds: -1 }] }],
    ["17 pod networks", { ...LOGIN, network: { ...LOGIN.network, pods: Array(17).fill(LOGIN.network.pods[0]) } }],
    ["a record whose key is empty", { t: "leave", id: 1, record: { ...record, key: "" } }],
  ])("%s is refused", (_, message) => {
    expect(decodeFromGateway(JSON.stringify(message)).ok).toBe(false);
  });
});

describe("negotiate()", () => {
  test("chooses the newest version that both speak", () => {
    expect(negotiate([PROTOCOL.oldest, PROTOCOL.newest])).toBe(PROTOCOL.newest);
    expect(negotiate([PROTOCOL.oldest, PROTOCOL.newest + 5])).toBe(PROTOCOL.newest);
  });

  test("is undefined where there is none", () => {
    expect(negotiate([PROTOCOL.newest + 1, PROTOCOL.newest + 2])).toBeUndefined();
    expect(negotiate([0, PROTOCOL.oldest - 1])).toBeUndefined();
  });
});

function latency() {
  return { cluster: "birch", gateway: "gw", up: true, rttSeconds: null, jitterSeconds: null, lossRatio: 0 };
}

/** The two unions are closed: a message that is not in these lists fails to compile here. */
const KINDS: Record<(FromGateway | FromBroker)["t"], true> = {
  ...{ hello: true, login: true, sync: true, publish: true, claim: true, yield: true, leave: true, report: true },
  ...{ known: true, tell: true, withdraw: true, want: true, silent: true },
  ...{ snapshot: true, challenge: true, refused: true, welcome: true, batch: true, ack: true, nack: true, epoch: true },
};

test("every kind of message is among the examples", () => {
  const shown = [...FROM_GATEWAY, ...FROM_BROKER].map((message) => (message as { t: string }).t);
  expect([...new Set(shown)].sort()).toEqual(Object.keys(KINDS).sort());
});
