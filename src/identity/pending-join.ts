import { type KeyObject, randomUUID } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { type ClusterId, err, ok, type Result, type Uid } from "#values";
import { readPrivate, removeDurably, writeDurably } from "./durable-file.ts";
import { clusterField, parseFile, privateKeyPem, uidField } from "./fields.ts";
import { createIdentityKey, privateKeyText } from "./private-key.ts";

/** PendingJoin is the identity that a token is about to be bound to. It is durable before the token is redeemed: the
 *  broker may have counted a redemption whose answer was lost, and then only this key may redeem it again. The token
 *  itself is never written. */
export interface PendingJoin {
  readonly cluster: ClusterId;
  readonly uid: Uid;
  readonly privateKey: KeyObject;
}

const schema = z.object({
  version: z.literal(1),
  cluster: clusterField,
  uid: uidField,
  privateKey: privateKeyPem,
});

/** pendingJoin gives the join that was begun in a data folder, or begins one: a new key, and the given uid or a random
 *  one. A join of another cluster that was begun is refused: its token may be spent already. */
export function pendingJoin(dataDir: string, cluster: ClusterId, uid = randomUUID() as Uid): Result<PendingJoin> {
  const path = pathIn(dataDir);
  const text = readPrivate(path);
  if (!text.ok) return text.error.code === "missing" ? begin(path, cluster, uid) : err(text.error.message);
  const found = parseFile(schema, path, text.value);
  if (!found.ok) return found;
  const { version: _, ...pending } = found.value;
  // the same join goes on; another one must be ended by a person
  return pending.cluster === cluster
    ? ok(pending)
    : err(
        `${path} is a join of cluster ${pending.cluster} that was begun: finish it, or remove the file to join as ${cluster}`,
      );
}

/** endPendingJoin forgets the join once the identity file stands. */
export function endPendingJoin(dataDir: string): Result<void> {
  return removeDurably(pathIn(dataDir));
}

/** Durable before it is returned, and so before anybody can redeem with it. */
function begin(path: string, cluster: ClusterId, uid: Uid): Result<PendingJoin> {
  const privateKey = createIdentityKey();
  const file = { version: 1, cluster, uid, privateKey: privateKeyText(privateKey) };
  const written = writeDurably(path, `${JSON.stringify(file, null, 2)}\n`);
  return written.ok ? ok({ cluster, uid, privateKey }) : written;
}

function pathIn(dataDir: string): string {
  return join(dataDir, "join.pending");
}
