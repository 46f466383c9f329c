import { rm } from "node:fs/promises";
import { join } from "node:path";
import { err, ok, type Result } from "#values";
import { formatKey, seal } from "#wire";
import { NETWORK_FILE } from "./network-file.ts";
import type { Gateway } from "./state.ts";

export interface LeaveRequest {
  /** Only this gateway, not the cluster. */
  readonly gateway: boolean;
  /** Although the broker cannot be told. */
  readonly force: boolean;
}

/** Files that belong to a membership: a new one needs a new token. */
const OURS = [
  NETWORK_FILE,
  "cache.db",
  "cache.db-wal",
  "cache.db-shm",
  "cache.db.damaged",
  "tunnel.key",
  "join.pending",
] as const;

/** tellBroker sends the signed leave: once it is durable there, nothing can bring this membership back. */
export async function tellBroker(
  { client, membership, options, follower, clock }: Gateway,
  { gateway: only }: LeaveRequest,
): Promise<Result<void>> {
  const member = follower.catalogue.members.get(options.cluster);
  if (member === undefined) return err("this cluster is no member");
  if (member.gone === "left") return ok(undefined); // the answer to an earlier leave was lost
  const { cluster, uid, generation, joinedAt } = member.body;
  const order = { epoch: generation, seq: 1 };
  const key = formatKey({ kind: "leave", cluster, generation });
  const leftAt = Math.max(joinedAt, clock.now());
  const record = only ? null : seal(membership.privateKey, key, order, { cluster, uid, generation, leftAt });
  const answer = await client.leave(record);
  return answer.ok ? ok(undefined) : err(answer.error.message);
}

/** undo removes what packets use: the tunnels first, so that nothing leaves by them untranslated. */
export async function undo({ plane }: Gateway): Promise<Result<void>> {
  if (plane === null) return ok(undefined);
  const tunnels = await plane.tunnels.teardown();
  if (!tunnels.ok) return tunnels;
  const tables = await plane.globalnet.teardown();
  return tables.ok ? ok(undefined) : err(`nft: ${tables.error.stderr}`);
}

/** How long an API server may take to delete everything of ours. */
const CLEAR_MS = 60_000;

/** clearCluster takes our objects out of a live cluster, and gives what to say of it. */
export async function clearCluster({ kubernetes }: Pick<Gateway, "kubernetes">): Promise<string> {
  if (kubernetes === null) return "";
  const failed = (error: unknown): Result<number> => err(String(error));
  const cleared = await kubernetes.removeAll(AbortSignal.timeout(CLEAR_MS)).catch(failed);
  if (cleared.ok) return `, and ${cleared.value} objects are gone from the API server`;
  const remedy =
    "kubectl delete serviceimports,services,clusterproperties -A -l app.kubernetes.io/managed-by=meridian.io, " +
    "and endpointslices by endpointslice.kubernetes.io/managed-by";
  return `; the API server did not delete our objects (${cleared.error}): ${remedy}`;
}

/** forget removes what only this membership needed. The identity stays where only one gateway goes: the cluster is a
 *  member still, and its other gateways may use the same file. */
export async function forget({ options, cache }: Gateway, { gateway: only }: LeaveRequest): Promise<void> {
  cache.close();
  if (!only) await rm(options.identityFile, { force: true }).catch(unlessMounted);
  for (const name of OURS) await rm(join(options.dataDir, name), { force: true });
}

/** An identity that was mounted read-only, as a pod's Secret is, goes with whoever mounted it. */
function unlessMounted(error: NodeJS.ErrnoException): void {
  if (error.code !== "EROFS") throw error;
}
