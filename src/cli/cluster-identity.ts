import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { joinCluster, leaveCluster, type Visit } from "#gateway";
import { pendingJoin, readIdentity, readPrivate, writeDurably } from "#identity";
import type { IdentityStore } from "#kube";
import type { Secret } from "#life";
import { type ClusterId, err, ok, type Result } from "#values";
import type { Surroundings } from "./verb.ts";

/** JoinAsk is who is to be a member. */
export interface JoinAsk extends Pick<Visit, "network" | "source"> {
  readonly cluster: ClusterId;
  /** Needed once. */
  readonly token: Secret | null;
}

/** identify sees that a cluster has its identity. It joins where there is none: the key is in the store before the token
 *  is redeemed, so that an installation that was cut off is gone on with by the next, wherever that runs. */
export async function identify(
  store: IdentityStore,
  { cluster, token, ...rest }: JoinAsk,
  around: Surroundings,
  signal: AbortSignal,
): Promise<Result<string>> {
  using folder = privateFolder();
  const kept = await unpack(store, folder.path);
  if (!kept.ok) return kept;
  if (kept.value.identity !== null) {
    const { cluster: its, file } = kept.value.identity;
    return its === cluster
      ? ok(`${cluster} is a member`)
      : err(`${file} is of cluster ${its}, not ${cluster}: give --cluster ${its}, or uninstall first`);
  }
  if (token === null)
    return err("--join-token is missing: give --join-token-file FILE with what `meridian invite` printed");
  const begun = kept.value.begun ? ok(undefined) : await begin(store, folder.path, cluster);
  if (!begun.ok) return begun;
  const identityFile = join(folder.path, MEMBER);
  const member = { cluster, dataDir: folder.path, identityFile, joinToken: token };
  const joined = await joinCluster({ member, ...rest }, around, signal);
  if (!joined.ok) return joined;
  const text = readPrivate(identityFile);
  if (!text.ok) return err(text.error.message);
  const finished = await store.finish(text.value);
  return finished.ok ? ok(`${cluster} has joined`) : finished;
}

/** resign ends the membership of a cluster; one that has no identity is no member. */
export async function resign(store: IdentityStore, around: Surroundings, signal: AbortSignal): Promise<Result<string>> {
  using folder = privateFolder();
  const kept = await unpack(store, folder.path);
  if (!kept.ok) return kept;
  const { identity } = kept.value;
  if (identity === null) return ok("there is none");
  const member = {
    cluster: identity.cluster,
    dataDir: folder.path,
    identityFile: join(folder.path, MEMBER),
    joinToken: null,
  };
  const network = { globalnet: true, pods: [], services: [], routes: [] };
  const left = await leaveCluster({ member, network, source: null }, around, signal);
  const remedy = "try again, or give --force and evict it at the broker";
  return left.ok ? ok(`${identity.cluster} has left`) : err(`${left.error}; ${remedy}`);
}

/** Not `identity.json`: that would serve one gateway alone. */
const MEMBER = "member.json";
const PENDING = "join.pending";

interface Kept {
  readonly identity: { readonly cluster: ClusterId; readonly file: string } | null;
  /** Whether a join was begun. */
  readonly begun: boolean;
}

/** unpack puts what the store has where the rooms that know identities look for it. */
async function unpack(store: IdentityStore, folder: string): Promise<Result<Kept>> {
  const kept = await store.read();
  if (!kept.ok) return kept;
  const { "identity.json": identity, "join.pending": pending } = kept.value;
  if (pending !== undefined) {
    const written = writeDurably(join(folder, PENDING), pending);
    if (!written.ok) return written;
  }
  if (identity === undefined) return ok({ identity: null, begun: pending !== undefined });
  const written = writeDurably(join(folder, MEMBER), identity);
  if (!written.ok) return written;
  const read = readIdentity(join(folder, MEMBER));
  if (!read.ok) return err(`the Secret meridian-identity: ${read.error.message}`);
  return ok({ identity: { cluster: read.value.cluster, file: "the Secret meridian-identity" }, begun: false });
}

async function begin(store: IdentityStore, folder: string, cluster: ClusterId): Promise<Result<void>> {
  const pending = pendingJoin(folder, cluster);
  if (!pending.ok) return pending;
  const text = readPrivate(join(folder, PENDING));
  if (!text.ok) return err(text.error.message);
  const first = await store.begin(text.value);
  if (!first.ok) return first;
  return first.value ? ok(undefined) : err("another installation is under way: wait for its end, then try again");
}

/** A folder that only this user reads, and that goes with its scope. */
function privateFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "meridian-install-")); // 0700
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
