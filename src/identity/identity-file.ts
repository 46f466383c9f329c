import type { KeyObject } from "node:crypto";
import { z } from "zod";
import { type ClusterId, err, type IdentityKey, type NodeName, ok, type Result, type Uid } from "#values";
import { identityKeyOf } from "#wire";
import { type FileFault, readPrivate, writeDurably } from "./durable-file.ts";
import {
  brokerUrlField,
  caPem,
  clusterField,
  identityKeyField,
  nodeNameField,
  parseFile,
  privateKeyPem,
  uidField,
} from "./fields.ts";
import { privateKeyText } from "./private-key.ts";

/** Identity is who a member is and which broker it trusts: all that a gateway needs to start again without a token. */
export interface Identity {
  readonly cluster: ClusterId;
  readonly uid: Uid;
  readonly privateKey: KeyObject;
  readonly publicKey: IdentityKey;
  /** Of the membership, from 1: it rises when a cluster comes back after a leave or an eviction. */
  readonly generation: number;
  /** The only gateway that this file serves; null where several share it. */
  readonly gateway: NodeName | null;
  readonly brokers: readonly string[];
  /** Certificate of the broker's authority, PEM. */
  readonly brokerCa: string;
  /** What the broker signs members and grants with. */
  readonly allocationKey: IdentityKey;
}

const VERSION = 1;
/** Looked at first, so that a file of a later version is refused as such and not for a field that it renamed. */
const versioned = z.object({ version: z.number().int() });
/** Unknown fields are left out: a later minor version may add some. */
const schema = z.object({
  version: z.literal(VERSION),
  cluster: clusterField,
  uid: uidField,
  privateKey: privateKeyPem,
  generation: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  gateway: nodeNameField.nullable(),
  brokers: z.array(brokerUrlField).min(1).max(16),
  brokerCa: caPem,
  allocationKey: identityKeyField,
});

/** readIdentity reads an identity file (`DATA/identity.json`, or the one of `--identity`).
 *  `missing` means that the host has not joined; anything else that is wrong names path and remedy. */
export function readIdentity(path: string): Result<Identity, FileFault> {
  const text = readPrivate(path);
  if (!text.ok) return text;
  // the version first: a later one may have other fields
  const head = parseFile(versioned, path, text.value);
  if (!head.ok) return err({ code: "unusable", message: head.error });
  if (head.value.version !== VERSION) {
    return err({
      code: "unusable",
      message: `${path} has version ${head.value.version}, this program reads version ${VERSION}: use the program that wrote it`,
    });
  }
  const file = parseFile(schema, path, text.value);
  if (!file.ok) return err({ code: "unusable", message: file.error });
  const { version: _, ...identity } = file.value;
  return ok({ ...identity, publicKey: identityKeyOf(identity.privateKey) });
}

/** writeIdentity makes an identity durable, mode 0600. */
export function writeIdentity(path: string, identity: Identity): Result<void> {
  const { cluster, uid, generation, gateway, brokers, brokerCa, allocationKey } = identity;
  const privateKey = privateKeyText(identity.privateKey);
  const file = { version: VERSION, cluster, uid, privateKey, generation, gateway, brokers, brokerCa, allocationKey };
  return writeDurably(path, `${JSON.stringify(file, null, 2)}\n`);
}
