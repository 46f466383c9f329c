import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ClusterId, type Millis, millis, type NodeName, type Uid } from "#values";
import { identityKeyOf } from "#wire";
import { createBrokerCa } from "./broker-ca.ts";
import { type Identity, readIdentity, writeIdentity } from "./identity-file.ts";
import { createIdentityKey } from "./private-key.ts";

const NOW: Millis = millis(1_790_000_000_000);
const ca = createBrokerCa(NOW);

function anIdentity(change: Partial<Identity> = {}): Identity {
  const privateKey = createIdentityKey();
  return {
    cluster: "c1" as ClusterId,
    uid: "0f8fad5b-d9cb-469f-a165-70867728950e" as Uid,
    privateKey,
    publicKey: identityKeyOf(privateKey),
    generation: 1,
    gateway: "node-1" as NodeName,
    brokers: ["wss://broker:8443"],
    brokerCa: ca.pem,
    allocationKey: identityKeyOf(createIdentityKey()),
    ...change,
  };
}

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "meridian-identity-"));
  path = join(dir, "identity.json");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** edited writes the file again with one field changed by hand. */
function edited(change: Record<string, unknown>): void {
  const file = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  writeFileSync(path, JSON.stringify({ ...file, ...change }));
}

function faultOf(): string {
  const result = readIdentity(path);
  return result.ok ? "none" : `${result.error.code}: ${result.error.message}`;
}

describe("readIdentity()", () => {
  test.each([["node-1" as NodeName], [null]])("reads what writeIdentity() wrote, for gateway %s", (gateway) => {
    const identity = anIdentity({ gateway });
    expect(writeIdentity(path, identity).ok).toBe(true);
    const read = readIdentity(path);
    if (!read.ok) throw new Error(read.error.message);
    const { privateKey, ...rest } = read.value;
    const { privateKey: expected, ...others } = identity;
    expect(rest).toEqual(others);
    expect(privateKey.equals(expected)).toBe(true);
  });

  test("the file has mode 0600 and version 1", () => {
    writeIdentity(path, anIdentity());
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ version: 1, cluster: "c1" });
  });

  test("refuses a file that others may read, and names chmod", () => {
    writeIdentity(path, anIdentity());
    chmodSync(path, 0o640);
    expect(faultOf()).toContain(`chmod 600 ${path}`);
  });

  test("says `missing` where there is none: the host has not joined", () => {
    expect(faultOf()).toBe(`missing: ${path} is missing`);
  });

  test("refuses another version by its number, before any field", () => {
    writeIdentity(path, anIdentity());
    edited({ version: 2, privateKey: undefined });
    expect(faultOf()).toBe(
      `unusable: ${path} has version 2, this program reads version 1: use the program that wrote it`,
    );
  });

  test.each([
    ["cluster", "Not A Label"],
    ["uid", "1"],
    ["privateKey", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"],
    ["generation", -1],
    ["generation", 1.5],
    ["gateway", "-"],
    ["brokers", []],
    ["brokerCa", "no certificate"],
    ["allocationKey", "short"],
  ])("names the field %s when it is %j", (field, value) => {
    writeIdentity(path, anIdentity());
    edited({ [field]: value });
    expect(faultOf()).toContain(`${path}: ${field}`);
    expect(faultOf()).not.toContain("c2VjcmV0");
  });

  test("refuses a broker without TLS", () => {
    writeIdentity(path, anIdentity());
    edited({ brokers: ["ws://broker:8443"] });
    expect(faultOf()).toContain("wss://HOST:PORT");
  });

  test("refuses a torn file without quoting it", () => {
    writeIdentity(path, anIdentity());
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.slice(0, text.length / 2));
    expect(faultOf()).toBe(`unusable: ${path} is not JSON: it is damaged`);
  });

  test("gives a value that shows no private key when logged", () => {
    const identity = anIdentity();
    const { d = "" } = identity.privateKey.export({ format: "jwk" });
    expect(inspect(identity, { depth: 9 }) + JSON.stringify(identity)).not.toContain(d);
  });
});
