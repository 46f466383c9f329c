import { X509Certificate } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { millis, expect as must } from "#values";
import { createBrokerCa } from "./broker-ca.ts";
import { loadBrokerKeys } from "./broker-keys.ts";
import { fingerprintOfBytes } from "./fingerprint.ts";
import { createIdentityKey, privateKeyText } from "./private-key.ts";

const NOW = millis(Date.UTC(2026, 10, 1));
const DAY = 86_400_000;
const HOSTS = ["broker.example.org", "10.0.0.1"];
const FILES = ["admin.token", "allocation.key", "ca.crt", "ca.key", "server.crt", "server.key"];

let dir: string;
beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), "meridian-keys-")), "data");
});
afterEach(() => rmSync(join(dir, ".."), { recursive: true, force: true }));

const at = (name: string): string => join(dir, name);
const load = (now = NOW, hosts: readonly string[] = HOSTS) => loadBrokerKeys(dir, hosts, now);
const readAll = (): string[] => FILES.map((name) => readFileSync(at(name), "utf8"));
function errorOf(now = NOW): string {
  const result = load(now);
  return result.ok ? "none" : result.error;
}

describe("loadBrokerKeys() at the first start", () => {
  test("makes the folder at 0700 and six files at 0600, and nothing else", () => {
    must(load());
    expect(readdirSync(dir).sort()).toEqual(FILES);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    for (const name of FILES) expect(statSync(at(name)).mode & 0o777).toBe(0o600);
  });

  test("gives the authority, its fingerprint, a chain that ends in it, and an admin token of 256 bits", () => {
    const keys = must(load());
    expect(keys.fingerprint).toBe(fingerprintOfBytes(new X509Certificate(keys.caPem).raw));
    expect(keys.chainPem.endsWith(keys.caPem)).toBe(true);
    expect(keys.chainPem.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(Buffer.from(keys.adminToken.reveal(), "base64url")).toHaveLength(32);
    expect(keys.allocationKey.asymmetricKeyType).toBe("ed25519");
  });

  test("[CVE-2024-6535] two installations share no secret", () => {
    const first = must(load());
    const second = must(loadBrokerKeys(join(dir, "other"), HOSTS, NOW));
    expect(first.adminToken.reveal()).not.toBe(second.adminToken.reveal());
    expect(first.fingerprint).not.toBe(second.fingerprint);
    expect(first.allocationPublicKey).not.toBe(second.allocationPublicKey);
  });

  test("begins again where it was killed before the roots stood, whatever it had written", () => {
    must(load());
    writeFileSync(at("keys.making"), "");
    for (const name of ["allocation.key", "server.key", "server.crt", "admin.token"]) rmSync(at(name));
    const before = readFileSync(at("ca.crt"), "utf8");
    expect(must(load()).caPem).not.toBe(before);
    expect(existsSync(at("keys.making"))).toBe(false);
  });

  test("goes on where it was killed after the roots stood", () => {
    const { fingerprint } = must(load());
    rmSync(at("server.crt"));
    rmSync(at("admin.token"));
    expect(must(load()).fingerprint).toBe(fingerprint);
  });

  test("refuses a host that cannot stand in a certificate before it makes anything", () => {
    expect(load(NOW, ["a b"])).toEqual({ ok: false, error: 'not a DNS name or IP address: "a b"' });
    expect(existsSync(dir)).toBe(false);
  });
});

describe("loadBrokerKeys() at a later start", () => {
  test("reads the same keys and rewrites no file", () => {
    const first = must(load());
    const before = readAll();
    const second = must(load());
    expect(readAll()).toEqual(before);
    expect(second.adminToken.reveal()).toBe(first.adminToken.reveal());
    expect(second.allocationPublicKey).toBe(first.allocationPublicKey);
  });

  test("renews the server's certificate, with the same key, when less than 60 days are left", () => {
    const first = must(load());
    expect(must(load(millis(NOW + 304 * DAY))).chainPem).toBe(first.chainPem);
    const renewed = must(load(millis(NOW + 306 * DAY)));
    expect(renewed.chainPem).not.toBe(first.chainPem);
    expect(renewed.fingerprint).toBe(first.fingerprint);
    expect(renewed.serverKey.equals(first.serverKey)).toBe(true);
  });

  test("renews it when the hosts changed, and not for their order", () => {
    const first = must(load());
    expect(must(load(NOW, [...HOSTS].reverse())).chainPem).toBe(first.chainPem);
    const other = new X509Certificate(must(load(NOW, ["10.0.0.2", "fd00::1"])).chainPem);
    expect(other.checkIP("10.0.0.2")).toBe("10.0.0.2");
    expect(other.checkIP("10.0.0.1")).toBeUndefined();
    const again = must(load(NOW, ["10.0.0.2", "fd00::1"])).chainPem;
    expect(again.startsWith(other.toString())).toBe(true);
  });

  test("[CVE-2024-41260] makes a new admin token when the file was removed", () => {
    const first = must(load());
    rmSync(at("admin.token"));
    expect(must(load()).adminToken.reveal()).not.toBe(first.adminToken.reveal());
  });

  test("makes certificate and admin token anew over restored roots", () => {
    const { fingerprint } = must(load());
    for (const name of ["server.key", "server.crt", "admin.token"]) rmSync(at(name));
    expect(must(load()).fingerprint).toBe(fingerprint);
  });

  test.each(["ca.key", "ca.crt", "allocation.key"])("refuses without %s and changes nothing", (name) => {
    must(load());
    rmSync(at(name));
    const before = readdirSync(dir).sort();
    expect(errorOf()).toContain(`but not ${name}: restore`);
    expect(readdirSync(dir).sort()).toEqual(before);
  });

  test("refuses when all roots are gone and something of that broker is left", () => {
    must(load());
    for (const name of ["ca.key", "ca.crt", "allocation.key"]) rmSync(at(name));
    expect(errorOf()).toContain("but not ca.key, ca.crt, allocation.key");
  });

  test.each(["ca.key", "ca.crt", "allocation.key", "server.key", "server.crt", "admin.token"])(
    "refuses a damaged %s by its name, and does not show it",
    (name) => {
      must(load());
      writeFileSync(at(name), "leftovers of a secret");
      expect(errorOf()).toContain(at(name));
      expect(errorOf()).not.toContain("leftovers");
    },
  );

  test.each(["ca.key", "allocation.key", "server.key", "admin.token"])("refuses %s when others may read it", (name) => {
    must(load());
    chmodSync(at(name), 0o644);
    expect(errorOf()).toContain(`chmod 600 ${at(name)}`);
  });

  test("refuses a key and a certificate that do not belong together", () => {
    must(load());
    writeFileSync(at("ca.key"), privateKeyText(createBrokerCa(NOW).privateKey));
    expect(errorOf()).toContain("is not the key of");
    writeFileSync(at("ca.key"), privateKeyText(createIdentityKey()));
    expect(errorOf()).toContain(`${at("ca.key")} is damaged`);
  });

  test("refuses a server's certificate of another authority", () => {
    must(load());
    must(loadBrokerKeys(join(dir, "other"), HOSTS, NOW));
    writeFileSync(at("server.crt"), readFileSync(join(dir, "other", "server.crt")));
    expect(errorOf()).toContain("of another authority");
  });

  test("refuses a certificate without its key", () => {
    must(load());
    rmSync(at("server.key"));
    expect(errorOf()).toContain(`${at("server.key")} is missing, but ${at("server.crt")} is there`);
  });

  test("says that the clock is wrong where it is", () => {
    must(load());
    expect(errorOf(millis(NOW - 2 * DAY))).toContain("this host's clock is wrong");
    expect(errorOf(millis(NOW + 4000 * DAY))).toContain("or this host's clock is wrong");
  });

  test("gives a value that shows no secret when logged", () => {
    const keys = must(load());
    const shown = inspect(keys, { depth: 9 }) + JSON.stringify(keys);
    expect(shown).not.toContain(keys.adminToken.reveal());
    expect(shown).not.toContain("PRIVATE");
  });
});
