import { type Clock, type Log, silentLog } from "#life";
import { createSyncClient, type SyncClient, type SyncClientOptions } from "#sync";
import { err, type NodeName, ok, type Result } from "#values";
import { formatKey, type Network, seal } from "#wire";
import { type Membership, type MembershipOptions, openMembership } from "./membership.ts";

/** VISITOR is the name under which somebody who is no gateway comes: its index is given back before it goes. */
export const VISITOR = "visitor" as NodeName;

/** Visit is who comes, and what a login says beside that. */
export interface Visit {
  readonly member: Omit<MembershipOptions, "name">;
  readonly network: Network;
  /** Where the cluster's exports are read; null: not said. */
  readonly source: string | null;
}

export interface VisitDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly version: string;
}

/** How long a broker may take to let somebody in and to tell all it knows. */
const VISIT_MS = 30_000;

/** joinCluster makes a cluster a member by its token, for gateways that come later: its identity is in
 *  `member.identityFile` then. A join that was begun before goes on with the same key. */
export async function joinCluster(visit: Visit, deps: VisitDeps, signal: AbortSignal): Promise<Result<void>> {
  return atBroker(visit, deps, async (client) => givenBack(client), signal);
}

/** leaveCluster ends the membership for all of its gateways, by a leave that the member signs. */
export async function leaveCluster(visit: Visit, deps: VisitDeps, signal: AbortSignal): Promise<Result<void>> {
  const leave = async (client: SyncClient, membership: Membership): Promise<Result<void>> => {
    const { cluster, uid, privateKey, identity } = membership;
    const generation = identity?.generation ?? 0;
    const key = formatKey({ kind: "leave", cluster, generation });
    const body = { cluster, uid, generation, leftAt: deps.clock.now() };
    const told = await client.leave(seal(privateKey, key, { epoch: generation, seq: 1 }, body));
    return told.ok ? ok(undefined) : err(told.error.message);
  };
  const done = await atBroker(visit, deps, leave, signal);
  return done.ok || OVER.test(done.error) ? ok(undefined) : done;
}

/** A membership that has ended needs no end. */
const OVER = /^the broker refuses this cluster \((left|evicted)\)/;

async function givenBack(client: SyncClient): Promise<Result<void>> {
  const told = await client.leave(null);
  return told.ok ? ok(undefined) : err(told.error.message);
}

type Task = (client: SyncClient, membership: Membership) => Promise<Result<void>>;

/** atBroker does something in one session, and ends it. */
async function atBroker(visit: Visit, deps: VisitDeps, task: Task, signal: AbortSignal): Promise<Result<void>> {
  const membership = await openMembership({ ...visit.member, name: VISITOR }, deps.clock, signal);
  if (!membership.ok) return membership;
  const stop = new AbortController();
  const done = Promise.withResolvers<Result<void>>();
  const late = AbortSignal.timeout(VISIT_MS);
  let why = "it does not answer";
  const note: Log["debug"] = (_, fields) => {
    why = String(fields?.["reason"] ?? why);
  };
  const log: Log = { ...silentLog, debug: note };
  const client: SyncClient = createSyncClient({
    ...session(visit, membership.value, (result) => done.resolve(result)),
    ...deps,
    log,
    state: (state) => {
      if (state === "live") void task(client, membership.value).then(done.resolve, done.reject);
    },
  });
  late.addEventListener("abort", () => done.resolve(err(`the broker ${membership.value.urls().join(", ")}: ${why}`)));
  signal.addEventListener("abort", () => done.resolve(err("it was stopped")), { once: true });
  const ended = client.run(stop.signal);
  try {
    return await done.promise;
  } finally {
    stop.abort();
    await ended;
  }
}

type Said = "urls" | "tls" | "login" | "cursor" | "welcomed" | "batch" | "refused";

/** What the session asks of us: nothing of what the broker tells is kept but the identity. */
function session(
  { network, source }: Visit,
  membership: Membership,
  fail: (result: Result<void>) => void,
): Pick<SyncClientOptions, Said> {
  return {
    urls: () => membership.urls(),
    tls: () => membership.tls(),
    login: (binding) => membership.login(binding, { tunnelKey: null, network, source, membership: [], host: null }),
    cursor: () => null,
    welcomed: (welcome) => {
      const kept = membership.welcomed(welcome);
      if (!kept.ok) fail(kept);
    },
    batch: async () => {},
    refused: ({ code, message, retry }) => {
      const who = membership.identity === null ? "refused the join" : "refuses this cluster";
      if (!retry) fail(err(`the broker ${who} (${code}): ${message}`));
    },
  };
}
