import { X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { type Fingerprint, millis } from "#values";
import { BROKER_NAME, type BrokerCa, createBrokerCa, createServerKey, issueServerCertificate } from "./broker-ca.ts";
import { fingerprintOfBytes } from "./fingerprint.ts";
import { brokerTls, pinnedCa } from "./pinned-ca.ts";

const NOW = millis(Date.UTC(2026, 10, 1));
const der = (pem: string): Uint8Array => new X509Certificate(pem).raw;
const serverOf = (ca: BrokerCa, now = NOW): Uint8Array =>
  der(issueServerCertificate(ca, { hosts: ["10.0.0.1"], serverKey: createServerKey(), now }));

const ca = createBrokerCa(NOW);
const fingerprint = fingerprintOfBytes(der(ca.pem));

function errorOf(chain: readonly Uint8Array[], of: Fingerprint = fingerprint, now = NOW): string {
  const result = pinnedCa(chain, of, now);
  return result.ok ? "none" : result.error;
}

describe("pinnedCa()", () => {
  test("gives the authority of the token when the server is its", () => {
    expect(pinnedCa([serverOf(ca), der(ca.pem)], fingerprint, NOW)).toEqual({ ok: true, value: ca.pem });
  });

  test("refuses a chain without that authority, also an empty one", () => {
    const other = createBrokerCa(NOW);
    expect(errorOf([serverOf(other), der(other.pem)])).toContain("another broker answers");
    expect(errorOf([])).toContain("another broker answers");
  });

  test("refuses a server that only shows the authority's public certificate", () => {
    const evil = createBrokerCa(NOW);
    expect(errorOf([serverOf(evil), der(ca.pem)])).toContain("is not signed by the authority");
    expect(errorOf([serverOf(evil), der(evil.pem), der(ca.pem)])).toContain("is not signed by the authority");
  });

  test("refuses a token that names a server's certificate instead of an authority's", () => {
    const server = serverOf(ca);
    expect(errorOf([server, der(ca.pem)], fingerprintOfBytes(server))).toContain("not of an authority");
  });

  test("refuses the authority's own certificate as a server's: it is not for the broker's name", () => {
    expect(errorOf([der(ca.pem)])).toContain(`is not for ${BROKER_NAME}`);
  });

  test("refuses a server's certificate that ended or is of tomorrow", () => {
    expect(errorOf([serverOf(ca), der(ca.pem)], fingerprint, millis(NOW + 366 * 86_400_000))).toContain("it ended");
    expect(errorOf([serverOf(ca), der(ca.pem)], fingerprint, millis(NOW - 86_400_000))).toContain("clock is wrong");
  });

  test("is total on junk and bounded in length", () => {
    const junk = Buffer.from("junk");
    expect(errorOf([junk])).toContain("another broker");
    expect(errorOf([junk], fingerprintOfBytes(junk))).toContain("not of an authority");
    expect(errorOf([serverOf(ca), ...Array.from({ length: 8 }, () => junk), der(ca.pem)])).toContain("another broker");
  });
});

test("brokerTls() trusts the pinned authority alone, under the fixed name, from TLS 1.3 on", () => {
  expect(brokerTls("PEM")).toEqual({ ca: "PEM", servername: "broker.meridian.internal", minVersion: "TLSv1.3" });
});
