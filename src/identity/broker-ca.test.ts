import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type TLSSocket } from "node:tls";
import { describe, expect, test } from "vitest";
import { systemClock } from "#life";
import { millis } from "#values";
import { BROKER_NAME, createBrokerCa, createServerKey, isHostName, issueServerCertificate } from "./broker-ca.ts";
import { fingerprintOfBytes } from "./fingerprint.ts";
import { brokerTls } from "./pinned-ca.ts";
import { privateKeyText } from "./private-key.ts";

/** TLS itself looks at the real clock. */
const NOW = systemClock.now();
const DAY = 86_400_000;

describe("createBrokerCa()", () => {
  const ca = createBrokerCa(NOW);
  const certificate = new X509Certificate(ca.pem);

  test("makes a self-signed authority on P-256 for ten years", () => {
    expect(certificate.ca).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(ca.privateKey)).toBe(true);
    expect(certificate.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: "prime256v1" });
    const days = (certificate.validToDate.getTime() - NOW) / DAY;
    expect(days).toBeGreaterThan(3652);
    expect(certificate.validFromDate.getTime()).toBeLessThan(NOW);
  });

  test("gives each authority its own key and serial number", () => {
    const other = new X509Certificate(createBrokerCa(NOW).pem);
    expect(other.fingerprint256).not.toBe(certificate.fingerprint256);
    expect(other.serialNumber).not.toBe(certificate.serialNumber);
    expect(certificate.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
  });

  test("has the fingerprint that OpenSSL shows", () => {
    const shown = certificate.fingerprint256.replaceAll(":", "").toLowerCase();
    expect(fingerprintOfBytes(certificate.raw)).toBe(`sha256:${shown}`);
  });
});

describe("issueServerCertificate()", () => {
  const ca = createBrokerCa(NOW);
  const serverKey = createServerKey();
  const pem = issueServerCertificate(ca, { hosts: ["B.example.org", "10.0.0.1", "fd00:0::1"], serverKey, now: NOW });
  const certificate = new X509Certificate(pem);

  test("names the fixed name and every host, and nothing but serverAuth", () => {
    expect(certificate.subjectAltName).toBe(
      "DNS:broker.meridian.internal, DNS:b.example.org, IP Address:10.0.0.1, IP Address:FD00:0:0:0:0:0:0:1",
    );
    expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    expect(certificate.ca).toBe(false);
  });

  test("is signed by the authority, holds the server's key and lasts a year", () => {
    const authority = new X509Certificate(ca.pem);
    expect(certificate.checkIssued(authority) && certificate.verify(authority.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(serverKey)).toBe(true);
    expect((certificate.validToDate.getTime() - NOW) / DAY).toBeCloseTo(365, 0);
  });

  test("never outlives its authority", () => {
    const late = millis(NOW + 3600 * DAY);
    const last = new X509Certificate(issueServerCertificate(ca, { hosts: [], serverKey, now: late }));
    expect(last.validToDate).toEqual(new X509Certificate(ca.pem).validToDate);
  });

  test("carries a TLS 1.3 session of a member that trusts only this authority", async () => {
    expect(await dial(ca.pem)).toBe("authorized");
  });

  test("is refused by a member that trusts another authority", async () => {
    await expect(dial(createBrokerCa(NOW).pem)).rejects.toThrow(/certificate/);
  });

  async function dial(trusted: string): Promise<string> {
    const server = createServer({ cert: pem + ca.pem, key: privateKeyText(serverKey), minVersion: "TLSv1.3" });
    server.on("tlsClientError", () => {}); // the refusing client's alert
    server.on("secureConnection", (socket: TLSSocket) => socket.on("error", () => {}).end());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const socket = connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", ...brokerTls(trusted) });
    try {
      await once(socket, "secureConnect");
      expect(socket.getProtocol()).toBe("TLSv1.3");
      return socket.authorized ? "authorized" : String(socket.authorizationError);
    } finally {
      socket.destroy();
      server.close();
      await once(server, "close");
    }
  }
});

describe("isHostName()", () => {
  test.each(["a", "broker.example.org", "B.example.org", "10.0.0.1", "::1", BROKER_NAME])("takes %s", (host) => {
    expect(isHostName(host)).toBe(true);
  });
  test.each(["", "*.example.org", "a b", "a,DNS:evil", "-a", "[::1]", "a:1", "x".repeat(64), "a\nb"])(
    "refuses %j",
    (host) => {
      expect(isHostName(host)).toBe(false);
    },
  );
});
