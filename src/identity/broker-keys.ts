import { type KeyObject, randomBytes } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { Secret } from "#life";
import { err, type Fingerprint, type IdentityKey, type Millis, ok, type Result } from "#values";
import { identityKeyOf } from "#wire";
import { type BrokerCa, createBrokerCa, isHostName } from "./broker-ca.ts";
import { readPrivate, readPublic, removeDurably, writeDurably } from "./durable-file.ts";
import { fingerprintOfBytes } from "./fingerprint.ts";
import { checkCa } from "./key-checks.ts";
import { derOf } from "./pem.ts";
import { createIdentityKey, privateKeyField, privateKeyText } from "./private-key.ts";
import { loadServerCertificate } from "./server-certificate.ts";

/** BrokerKeys is all that a broker proves itself with. */
export interface BrokerKeys {
  /** Certificate of the authority, PEM: what members pin. */
  readonly caPem: string;
  /** SHA-256 of its DER: what join tokens carry. */
  readonly fingerprint: Fingerprint;
  /** The server's certificate and the authority's behind it, PEM: the chain that the TLS server presents. A member
   *  that knows only the fingerprint finds the authority there. */
  readonly chainPem: string;
  readonly serverKey: KeyObject;
  /** Ed25519: signs members, grants and evictions. */
  readonly allocationKey: KeyObject;
  readonly allocationPublicKey: IdentityKey;
  /** Bearer token of the admin API, 256 bits in base64url. */
  readonly adminToken: Secret;
}

/** Lost together they would make another broker, so they are made once, together, and never replaced. */
const ROOTS = ["ca.key", "ca.crt", "allocation.key"] as const;
/** Made from the roots, or by themselves, whenever they are missing. */
const DEPENDENTS = ["server.key", "server.crt", "admin.token"] as const;
/** Present while the roots are being made for the first time: whatever stands beside it was never used. */
const MAKING = "keys.making";
/** 256 bits in base64url. */
const ADMIN_TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** loadBrokerKeys reads a broker's keys from its data folder and makes them at the first start. The server's
 *  certificate is renewed when it is about to end or `hosts` (DNS names and addresses at which the broker is dialled)
 *  changed. A missing or damaged root is refused by its file's name: a new authority is never made in silence, since
 *  no member would believe it. */
export function loadBrokerKeys(dataDir: string, hosts: readonly string[], now: Millis): Result<BrokerKeys> {
  const bad = hosts.find((host) => !isHostName(host));
  if (bad !== undefined) return err(`not a DNS name or IP address: ${JSON.stringify(bad.slice(0, 80))}`);
  // each step names the file at which it stops
  const made = makeRootsOnce(dataDir, now);
  if (!made.ok) return made;
  const roots = readRoots(dataDir, now);
  if (!roots.ok) return roots;
  const { ca, allocationKey } = roots.value;
  const server = loadServerCertificate(dataDir, ca, hosts, now);
  if (!server.ok) return server;
  const adminToken = loadAdminToken(join(dataDir, "admin.token"));
  if (!adminToken.ok) return adminToken;
  return ok({
    caPem: ca.pem,
    fingerprint: fingerprintOfBytes(derOf(ca.pem)),
    chainPem: server.value.pem + ca.pem,
    serverKey: server.value.privateKey,
    allocationKey,
    allocationPublicKey: identityKeyOf(allocationKey),
    adminToken: adminToken.value,
  });
}

/** Decides by what is there: all roots, none and nothing that depends on them, or a loss. */
function makeRootsOnce(dataDir: string, now: Millis): Result<void> {
  const present = (names: readonly string[]): string[] => names.filter((name) => existsSync(join(dataDir, name)));
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    return err(`cannot make ${dataDir}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (existsSync(join(dataDir, MAKING))) return makeRoots(dataDir, now);
  const roots = present(ROOTS);
  if (roots.length === ROOTS.length) return ok(undefined);
  const [left] = [...roots, ...present(DEPENDENTS)];
  if (left === undefined) return makeRoots(dataDir, now);
  const lost = ROOTS.filter((name) => !roots.includes(name)).join(", ");
  return err(
    `${dataDir} has ${left} but not ${lost}: restore the broker's files from a backup, or start with an empty folder`,
  );
}

/** The mark stands on the disk before the first root and goes after the last: without it, all three are whole. */
function makeRoots(dataDir: string, now: Millis): Result<void> {
  const ca = createBrokerCa(now);
  const texts: Record<(typeof ROOTS)[number], string> = {
    "ca.key": privateKeyText(ca.privateKey),
    "ca.crt": ca.pem,
    "allocation.key": privateKeyText(createIdentityKey()),
  };
  const begun = writeDurably(join(dataDir, MAKING), "");
  if (!begun.ok) return begun;
  for (const name of ROOTS) {
    const written = writeDurably(join(dataDir, name), texts[name]);
    if (!written.ok) return written;
  }
  return removeDurably(join(dataDir, MAKING));
}

/** Roots are the authority and the allocation key, read and checked. */
interface Roots {
  readonly ca: BrokerCa;
  readonly allocationKey: KeyObject;
}

/** Reads the three files in the order in which a person would repair them, and stops at the first that is wrong. */
function readRoots(dataDir: string, now: Millis): Result<Roots> {
  const keyPath = join(dataDir, "ca.key");
  const certPath = join(dataDir, "ca.crt");
  const allocationPath = join(dataDir, "allocation.key");
  const keyText = readPrivate(keyPath);
  if (!keyText.ok) return err(keyText.error.message);
  const certText = readPublic(certPath);
  if (!certText.ok) return err(certText.error.message);
  const ca = checkCa({ keyPath, keyText: keyText.value, certPath, certText: certText.value, now });
  if (!ca.ok) return ca;
  const allocationText = readPrivate(allocationPath);
  if (!allocationText.ok) return err(allocationText.error.message);
  const allocationKey = privateKeyField(allocationText.value);
  return allocationKey.ok
    ? ok({ ca: ca.value, allocationKey: allocationKey.value })
    : err(`${allocationPath} is damaged (${allocationKey.error}): restore it from a backup`);
}

/** A missing admin token is made anew: that is how one is replaced, and a restored broker has none. */
function loadAdminToken(path: string): Result<Secret> {
  const text = readPrivate(path);
  if (text.ok) {
    const token = text.value.trim();
    return ADMIN_TOKEN.test(token)
      ? ok(new Secret(token))
      : err(`${path} is damaged: remove it and start again for a new one`);
  }
  if (text.error.code !== "missing") return err(text.error.message);
  const token = randomBytes(32).toString("base64url");
  const written = writeDurably(path, `${token}\n`);
  return written.ok ? ok(new Secret(token)) : written;
}
