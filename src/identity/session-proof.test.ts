import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type TLSSocket } from "node:tls";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { systemClock } from "#life";
import type { ClusterId, IdentityKey, NodeName, Signature, Uid } from "#values";
import { identityKeyOf, seal } from "#wire";
import { createBrokerCa, createServerKey, issueServerCertificate } from "./broker-ca.ts";
import { brokerTls } from "./pinned-ca.ts";
import { createIdentityKey, privateKeyText } from "./private-key.ts";
import { channelBinding, proofText, type SessionClaim, signProof, verifyProof } from "./session-proof.ts";

const privateKey = createIdentityKey();
const publicKey = identityKeyOf(privateKey);
const claim: SessionClaim = {
  exporter: Buffer.alloc(32, 1),
  nonce: Buffer.alloc(16, 2),
  cluster: "c1" as ClusterId,
  uid: "0f8fad5b-d9cb-469f-a165-70867728950e" as Uid,
  gateway: "node-1" as NodeName,
};

describe("verifyProof()", () => {
  test("accepts the claim that was signed, by the key that signed it", () => {
    expect(verifyProof(publicKey, claim, signProof(privateKey, claim))).toBe(true);
  });

  test.each<Partial<SessionClaim>>([
    { exporter: Buffer.alloc(32, 9) },
    { nonce: Buffer.alloc(16, 9) },
    { nonce: Buffer.alloc(15, 2) },
    { cluster: "c2" as ClusterId },
    { uid: "1f8fad5b-d9cb-469f-a165-70867728950e" as Uid },
    { gateway: "node-2" as NodeName },
  ])("refuses a proof when %o differs", (change) => {
    expect(verifyProof(publicKey, { ...claim, ...change }, signProof(privateKey, claim))).toBe(false);
  });

  test("refuses another key, a changed signature and a key that is none", () => {
    const signature = signProof(privateKey, claim);
    expect(verifyProof(identityKeyOf(createIdentityKey()), claim, signature)).toBe(false);
    const changed = (signature.startsWith("A") ? "B" : "A") + signature.slice(1);
    expect(verifyProof(publicKey, claim, changed as Signature)).toBe(false);
    expect(verifyProof("_".repeat(43) as IdentityKey, claim, signature)).toBe(false);
  });

  test("refuses a record's signature: the two kinds never have one text", () => {
    const record = seal(privateKey, "gateway/c1/node-1", { epoch: 1, seq: 1 }, {});
    expect(verifyProof(publicKey, claim, record.signature ?? ("" as Signature))).toBe(false);
  });
});

describe("proofText()", () => {
  test("is different for any two claims", () => {
    const claims = fc.record({
      exporter: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      nonce: fc.uint8Array({ maxLength: 32 }),
      cluster: fc.constantFrom("a", "a-b", "b") as fc.Arbitrary<ClusterId>,
      uid: fc.uuid() as fc.Arbitrary<Uid>,
      gateway: fc.constantFrom("a", "a.b", "b") as fc.Arbitrary<NodeName>,
    });
    const plain = (c: SessionClaim): string => JSON.stringify({ ...c, exporter: [...c.exporter], nonce: [...c.nonce] });
    fc.assert(
      fc.property(claims, claims, (a, b) => {
        expect(proofText(a) === proofText(b)).toBe(plain(a) === plain(b));
      }),
    );
  });

  test("throws for a binding that is not 32 octets: an empty one would bind to nothing", () => {
    expect(() => proofText({ ...claim, exporter: new Uint8Array(0) })).toThrow(RangeError);
  });
});

describe("channelBinding()", () => {
  test("is the same at both ends of one connection and another for the next", async () => {
    const ca = createBrokerCa(systemClock.now());
    const serverKey = createServerKey();
    const cert = issueServerCertificate(ca, { hosts: [], serverKey, now: systemClock.now() });
    const server = createServer({ cert, key: privateKeyText(serverKey), minVersion: "TLSv1.3" });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const bindings = async (): Promise<[Uint8Array, Uint8Array]> => {
      const accepted = once(server, "secureConnection") as Promise<[TLSSocket]>;
      const near = connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", ...brokerTls(ca.pem) });
      await once(near, "secureConnect");
      const [far] = await accepted;
      const both: [Uint8Array, Uint8Array] = [channelBinding(near), channelBinding(far)];
      near.destroy();
      far.destroy();
      return both;
    };
    const [[near1, far1], [near2]] = [await bindings(), await bindings()];
    server.close();
    expect(near1).toEqual(far1);
    expect(near1).toHaveLength(32);
    expect(near1).not.toEqual(near2);
  });
});
