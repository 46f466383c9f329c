import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { millis, expect as must } from "#values";
import { createBrokerCa } from "./broker-ca.ts";
import { loadServerCertificate } from "./server-certificate.ts";

const NOW = millis(Date.UTC(2026, 10, 1));
const DAY = 86_400_000;
const ca = createBrokerCa(NOW);

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "meridian-server-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const load = (hosts: readonly string[] = ["b"], now = NOW) => loadServerCertificate(dir, ca, hosts, now);
const namesIn = (pem: string): string | undefined => new X509Certificate(pem).subjectAltName;

describe("loadServerCertificate()", () => {
  test("issues a certificate of the authority and finds it again", () => {
    const first = must(load());
    expect(new X509Certificate(first.pem).verify(new X509Certificate(ca.pem).publicKey)).toBe(true);
    expect(must(load()).pem).toBe(first.pem);
    expect(readFileSync(join(dir, "server.crt"), "utf8")).toBe(first.pem);
  });

  test.each([
    [["b"], ["b", "c"]],
    [["b", "c"], ["b"]],
    [["10.0.0.1"], ["10.0.0.2"]],
    [["fd00::1"], []],
  ])("issues another when the hosts %j become %j", (before, after) => {
    const first = must(load(before));
    const second = must(load(after));
    expect(namesIn(second.pem)).not.toBe(namesIn(first.pem));
    expect(second.privateKey.equals(first.privateKey)).toBe(true);
    expect(must(load(after)).pem).toBe(second.pem);
  });

  test.each([[["b", "B"]], [["::1", "0:0:0:0:0:0:0:1"]], [["b", "broker.meridian.internal"]]])(
    "knows that %j is one host in two spellings",
    (hosts) => {
      const first = must(load(hosts.slice(0, 1)));
      expect(must(load(hosts)).pem).toBe(first.pem);
    },
  );

  test("renews at 60 days, and what was issued while the clock was ahead", () => {
    const first = must(load());
    expect(must(load(["b"], millis(NOW + 305 * DAY))).pem).toBe(first.pem);
    expect(must(load(["b"], millis(NOW + 305 * DAY + 1001))).pem).not.toBe(first.pem);
    const back = must(load(["b"], millis(NOW + DAY)));
    expect(new X509Certificate(back.pem).validFromDate.getTime()).toBeLessThan(NOW + DAY);
  });

  test("uses a key without a certificate, as a first start that was cut short leaves it", () => {
    const first = must(load());
    rmSync(join(dir, "server.crt"));
    expect(must(load()).privateKey.equals(first.privateKey)).toBe(true);
  });

  test("refuses a key that is not the certificate's", () => {
    must(load());
    const key = readFileSync(join(dir, "server.key"));
    for (const name of ["server.key", "server.crt"]) rmSync(join(dir, name));
    must(load());
    writeFileSync(join(dir, "server.key"), key);
    expect(load()).toMatchObject({ ok: false, error: expect.stringContaining("is not the key of") });
  });
});
