import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  createBrokerCa,
  fingerprintOf,
  mintToken,
  pendingJoin,
  readIdentity,
  verifyProof,
  writeIdentity,
} from "#identity";
import { TestClock } from "#lab";
import { Secret } from "#life";
import { type IdentityKey, millis } from "#values";
import { identityKeyOf } from "#wire";
import { Membership, openMembership } from "./membership.ts";
import type { GatewayOptions } from "./options.ts";
import { allocationKey, cidr, dataDir, optionsOf, TestMember } from "./testbed.ts";
import { welcomeOf } from "./testbed-gateway.ts";

const BROKER = "wss://127.0.0.1:1";
const NETWORK = { globalnet: true, pods: [{ cidr: cidr("10.244.0.0/16"), wanted: null }], services: [], routes: [] };
const ca = createBrokerCa(millis(1_700_000_000_000));
const allocationPublic: IdentityKey = identityKeyOf(allocationKey);

let dir: string;
let amber: TestMember;
let options: GatewayOptions;

beforeEach(() => {
  dir = dataDir();
  amber = new TestMember("amber", 1);
  options = optionsOf({ dataDir: dir });
});
afterEach(() => rmSync(dir, { recursive: true }));

const open = (change: Partial<GatewayOptions> = {}) =>
  openMembership({ ...options, ...change }, new TestClock(), AbortSignal.timeout(5000));
const faultOf = async (change: Partial<GatewayOptions> = {}) => {
  const opened = await open(change);
  return opened.ok ? "" : opened.error;
};

/** write makes an identity file as an earlier join left it. */
function write(change: Readonly<Record<string, unknown>> = {}, path = options.identityFile): void {
  const identity = {
    ...{ cluster: amber.cluster, uid: amber.uid, privateKey: amber.privateKey, generation: 1 },
    ...{ publicKey: identityKeyOf(amber.privateKey), gateway: options.name, brokers: [BROKER], brokerCa: ca.pem },
    allocationKey: allocationPublic,
    ...change,
  };
  const written = writeIdentity(path, identity as never);
  if (!written.ok) throw new Error(written.error);
}

/** joining is a membership that has a token and no identity yet. */
function joining(change: Partial<GatewayOptions> = {}): Membership {
  const token = { url: BROKER, fingerprint: fingerprintOf(allocationPublic), id: "i", secret: new Secret("s") };
  return new Membership({ ...options, ...change }, amber, null, { token: token as never, caPem: ca.pem });
}

describe("openMembership()", () => {
  test("needs no token where there is an identity", async () => {
    write();
    const opened = await open();
    expect(opened.ok && opened.value.identity).toMatchObject({ cluster: "amber", generation: 1 });
    expect(opened.ok && opened.value.urls()).toEqual([BROKER]);
  });

  test("without identity and token says how to get one", async () => {
    expect(await faultOf()).toMatch(/identity\.json is missing, .* --join-token .*meridian invite/);
  });

  test.each([
    ["no token", "hello", /^--join-token: not a join token/],
    ["one of a later version", "mrd2.AAAA", /version 2/],
    [
      "one that was cut",
      mintToken({ url: BROKER, fingerprint: fingerprintOf(allocationPublic) })
        .token.reveal()
        .slice(0, -9),
      /^--join-token: /,
    ],
  ])("%s is a fault that shows nothing of it", async (_, text, reason) => {
    const fault = await faultOf({ joinToken: new Secret(text) });
    expect(fault).toMatch(reason);
    expect(fault).not.toContain(text.slice(5, 25) || "\0");
    expect(existsSync(join(dir, "join.pending"))).toBe(false);
  });

  test("makes the key durable before the token is spent, and keeps it when the broker is away", async () => {
    const { token } = mintToken({ url: BROKER, fingerprint: fingerprintOf(allocationPublic) });
    expect(await faultOf({ joinToken: token })).not.toBe("");
    const pending = pendingJoin(dir, amber.cluster);
    expect(await faultOf({ joinToken: token })).not.toBe("");
    const again = pendingJoin(dir, amber.cluster);
    expect(pending.ok && again.ok && pending.value.uid === again.value.uid).toBe(true);
    expect(readFileSync(join(dir, "join.pending"), "utf8")).not.toContain(token.reveal().slice(60, 80));
  });

  test("a join of another cluster that was begun is not taken over", async () => {
    pendingJoin(dir, "birch" as never);
    const { token } = mintToken({ url: BROKER, fingerprint: fingerprintOf(allocationPublic) });
    expect(await faultOf({ joinToken: token })).toMatch(/is a join of cluster birch that was begun/);
  });

  test("another --cluster than the identity's is refused, both named", async () => {
    write({ cluster: "birch" });
    expect(await faultOf()).toMatch(/is of cluster birch, but --cluster is amber/);
  });

  test("an identity of one gateway serves no other; a shared one serves all", async () => {
    write({ gateway: "other" });
    expect(await faultOf()).toMatch(/serves only the gateway other, but --name is gw/);
    write({ gateway: null });
    expect(await faultOf()).toBe("");
  });

  test("a damaged identity is never replaced in silence", async () => {
    writeFileSync(options.identityFile, "{", { mode: 0o600 });
    const { token } = mintToken({ url: BROKER, fingerprint: fingerprintOf(allocationPublic) });
    expect(await faultOf({ joinToken: token })).toContain(options.identityFile);
    expect(readFileSync(options.identityFile, "utf8")).toBe("{");
  });
});

describe("Membership.login()", () => {
  const FACTS = { tunnelKey: null, network: NETWORK, source: null, membership: [], host: null };
  const binding = { exporter: new Uint8Array(32).fill(1), nonce: new Uint8Array(16).fill(2) };

  test("proves the key for this connection, and sends the token only until there is an identity", () => {
    const membership = joining();
    const first = membership.login(binding, FACTS);
    expect(first.join).toEqual({ id: "i", secret: "s" });
    const claim = { ...binding, cluster: amber.cluster, uid: amber.uid, gateway: options.name };
    expect(verifyProof(first.key, claim, first.proof)).toBe(true);
    expect(verifyProof(first.key, { ...claim, nonce: new Uint8Array(16) }, first.proof)).toBe(false);
    membership.welcomed(welcomeOf(amber));
    expect(membership.login(binding, FACTS)).toMatchObject({ join: null, generation: 1 });
  });

  test("sends it again when the broker has shown that the membership is over: no leave is needed first", () => {
    const membership = joining();
    membership.welcomed(welcomeOf(amber));
    expect(membership.ended()).toBe(true);
    expect(membership.login(binding, FACTS).join).toEqual({ id: "i", secret: "s" });
    membership.welcomed({ ...welcomeOf(amber), generation: 2 });
    expect(membership.login(binding, FACTS)).toMatchObject({ join: null, generation: 2 });
  });
});

describe("Membership.welcomed()", () => {
  test("makes the membership durable and ends the join that was begun", () => {
    pendingJoin(dir, amber.cluster, amber.uid);
    expect(joining().welcomed(welcomeOf(amber))).toEqual({ ok: true, value: undefined });
    expect(readIdentity(options.identityFile)).toMatchObject({
      ok: true,
      value: { uid: amber.uid, generation: 1, gateway: "gw", brokers: [BROKER], allocationKey: allocationPublic },
    });
    expect(existsSync(join(dir, "join.pending"))).toBe(false);
  });

  test("a file named by --identity is for all gateways of the member", () => {
    const identityFile = join(dir, "shared.json");
    joining({ identityFile }).welcomed(welcomeOf(amber));
    expect(readIdentity(identityFile)).toMatchObject({ ok: true, value: { gateway: null } });
  });

  test("a new generation is written down, and a shared file stays shared", async () => {
    write({ gateway: null });
    const opened = await open();
    if (!opened.ok) throw new Error(opened.error);
    opened.value.welcomed(welcomeOf(amber, { generation: 2 }));
    expect(readIdentity(options.identityFile)).toMatchObject({ ok: true, value: { generation: 2, gateway: null } });
  });

  test.each([
    [
      "another allocation key",
      { allocationKey: identityKeyOf(new TestMember("x", 9).privateKey) },
      /the broker signs with sha256:.* this member trusts sha256:/,
    ],
    ["another uid", { uid: new TestMember("x", 9).uid }, /the broker says uid .*9, ours is .*1/],
  ])("%s is refused and changes nothing", async (_, change, reason) => {
    write();
    const opened = await open();
    if (!opened.ok) throw new Error(opened.error);
    const done = opened.value.welcomed(welcomeOf(amber, { generation: 2, ...change }));
    expect(done.ok ? "" : done.error).toMatch(reason);
    expect(readIdentity(options.identityFile)).toMatchObject({ ok: true, value: { generation: 1 } });
  });

  test("verifier() is the broker's allocation key, once it is known", async () => {
    expect(() => joining().verifier()).toThrow(/not known/);
    write();
    const opened = await open();
    const key = opened.ok ? opened.value.verifier().export({ format: "jwk" }).x : "";
    expect(key).toBe(allocationPublic);
  });
});
