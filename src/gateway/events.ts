import type { Refused, SessionState } from "#sync";
import { type ClusterId, err } from "#values";
import { type Applied, type Batch, formatKey, type Welcome } from "#wire";
import type { PairMode } from "./pair-modes.ts";
import type { Gateway } from "./state.ts";
import { exportKey } from "./statements.ts";
import { boundsOf, welcomeFault } from "./welcome-fault.ts";

/** What happens around a gateway, and which of its parts must look again because of it. */

/** A member whose records did not add up is asked for again after this long, not at the speed of the network. */
const ASK_AGAIN_MS = 5000;

/** listen joins the catalogue, the manifests and the speaker. */
export function listen(gateway: Gateway): void {
  const { follower, source, speaker, options, responder, session } = gateway;
  follower.ownEpoch = () => speaker.epoch;
  follower.onApplied((applied) => onApplied(gateway, applied));
  follower.onOwnSnapshot = (records) => speaker.snapshot(records);
  follower.onMismatch = (clusters) => askFor(gateway, clusters);
  let unread = 0;
  let nodes = source?.current().nodes;
  source?.onChange(({ changed, manifests }) => {
    if (manifests.nodes !== nodes) tellNodes(gateway);
    nodes = manifests.nodes;
    gateway.kubernetes?.changed(changed);
    responder.update([{ kind: "namespaces", names: [...manifests.namespaces] }]);
    speaker.changed(changed.map((key) => exportKey(options.cluster, key)));
    // With the last file that could not be read goes the doubt about everything that is in none.
    if (unread > 0 && manifests.unread.size === 0) speaker.changed(ownKeys(gateway));
    unread = manifests.unread.size;
  });
  void source?.synced.then(() => {
    session.sourceSynced = true;
    speaker.changed(ownKeys(gateway));
  });
}

/** A node came, went or moved: it is numbered, and its address may be an endpoint's. */
function tellNodes({ options, reconciler, speaker }: Gateway): void {
  reconciler.markNetwork();
  speaker.changed([formatKey({ kind: "nodes", cluster: options.cluster })]);
}

function onApplied(gateway: Gateway, applied: Applied): void {
  const { reconciler, announcer, speaker, options } = gateway;
  reconciler.markServices(applied.exports);
  gateway.kubernetes?.changed(applied.exports);
  // Taken back by somebody else, perhaps only because the broker did not have it yet.
  speaker.changed(
    applied.removed.filter((key) => /^(export|nodes)\//.test(key) && key.split("/")[1] === options.cluster),
  );
  if (applied.members.has(options.cluster)) tellMembership(gateway);
  if (renumbers(applied, options.cluster)) {
    reconciler.markNetwork();
    speaker.changed(ownKeys(gateway)); // endpoints on the nodes' own network mean something now, or something else
  }
  if (!touchesNetwork(applied)) return;
  reconciler.markNetwork();
  announcer.changed();
  if (!applied.grants) return;
  speaker.changed([formatKey({ kind: "nodes", cluster: options.cluster })]);
  if (applied.members.has(options.cluster)) speaker.changed(ownKeys(gateway));
}

function renumbers({ accepted }: Applied, own: ClusterId): boolean {
  const key = formatKey({ kind: "nodes", cluster: own });
  return accepted.some((record) => record.key === key);
}

/** Exports come and go without a change to any tunnel or route. */
function touchesNetwork({ grants, accepted, removed }: Applied): boolean {
  const networked = (key: string): boolean => /^(member|gateway|leave|eviction)\//.test(key);
  return grants || accepted.some(({ key }) => networked(key)) || removed.some(networked);
}

/** An end of our own membership is known from the catalogue, also while the broker is away. */
function tellMembership({ follower, options, troubles }: Gateway): void {
  const gone = follower.catalogue.members.get(options.cluster)?.gone ?? null;
  if (gone === null) return troubles.clear("membership-ended");
  const title =
    gone === "left" ? "This cluster has left the clusterset" : "This cluster was evicted from the clusterset";
  const detail = `what is set up here stays until meridian leave --force; then join again with a new token (meridian invite)`;
  troubles.set({ code: "membership-ended", severity: "critical", title, subject: "", detail });
}

/** askFor has the broker send members whole, each at most every ASK_AGAIN_MS. */
function askFor({ client, clock, session }: Gateway, clusters: readonly ClusterId[]): void {
  const now = clock.monotonic();
  const due = clusters.filter((cluster) => now - (session.asked.get(cluster) ?? -Infinity) >= ASK_AGAIN_MS);
  for (const cluster of due) session.asked.set(cluster, now);
  if (due.length > 0) client.askSnapshot([...due]);
}

/** ownKeys is every record that there may be something to say of: what is exported here, and what was. */
export function* ownKeys({ options, source, follower }: Gateway): Generator<string> {
  yield formatKey({ kind: "nodes", cluster: options.cluster });
  yield* follower.ownBodies.keys();
  for (const key of source?.current().exports.keys() ?? []) yield exportKey(options.cluster, key);
}

export async function onBatch({ session, follower, clock, reconciler }: Gateway, batch: Batch): Promise<void> {
  if (session.foreign !== null) throw new Error(session.foreign); // which ends the session
  session.heardAt = clock.monotonic();
  await follower.batch(batch);
  if (!batch.more && reconciler.passes === 0) reconciler.markNetwork();
}

/** onWelcome gives the reason to end: a join that cannot be kept. A member does not end because of a broker that is
 *  not its own: it takes nothing from it, and goes on with what it knows. */
export function onWelcome(gateway: Gateway, welcome: Welcome): string | undefined {
  const { membership, follower, session, cache, announcer, speaker, troubles, responder, options } = gateway;
  const joining = membership.identity === null;
  const fault = welcomeFault(welcome, session.supernets, options);
  const done = fault === undefined ? membership.welcomed(welcome) : err(fault);
  session.foreign = done.ok ? null : done.error;
  if (!done.ok) {
    if (joining) return done.error;
    const title = "The broker is not the one that this cluster joined";
    troubles.set({ code: "broker-foreign", severity: "critical", title, subject: "", detail: done.error });
    return undefined;
  }
  session.supernets = welcome.supernets;
  responder.update([{ kind: "reverse", networks: welcome.supernets }]);
  follower.catalogue.bounds = boundsOf(welcome.supernets);
  session.seen = welcome.seen;
  cache.setValue("supernets", welcome.supernets.join(","));
  cache.setValue("seen", welcome.seen);
  follower.welcomed(welcome.store);
  announcer.welcomed(welcome.incarnation);
  speaker.welcomed(welcome.head);
  session.asked.clear();
  troubles.clear("broker-refused");
  troubles.clear("broker-foreign");
  return undefined;
}

/** onRefused gives the reason to end: a join that was refused for good. The end of a membership comes with its record,
 *  and counts by that; with a new token at hand the next login joins again. */
export function onRefused(gateway: Gateway, { code, message, retry, record }: Refused): string | undefined {
  const { membership, troubles, follower, log } = gateway;
  if (membership.identity === null && !retry) return `the broker refused the join (${code}): ${message}`;
  if (record != null) {
    const failed = (error: unknown): void => log.error("an end was not taken", { reason: String(error) });
    void follower.end(record).catch(failed);
  }
  const over = code === "evicted" || code === "left";
  if (over && (membership.ended() || record != null)) {
    troubles.clear("broker-refused"); // it is shown as what it is, once its record is taken
    return undefined;
  }
  const title = "The broker refuses this gateway";
  troubles.set({ code: "broker-refused", severity: "critical", title, subject: "", detail: `${code}: ${message}` });
  return undefined;
}

export function onSession(
  { session, speaker, announcer, clock, troubles, cache }: Gateway,
  state: SessionState,
  url: string,
): void {
  // The first dialing of a start is no sign of anything; the second means that the first came to nothing.
  const dialedBefore = session.url !== null;
  session.state = state;
  session.url = url;
  if (state === "live") {
    session.heardAt = clock.monotonic();
    cache.setValue("heard", String(clock.now())); // a gateway that lives shortly knows afterwards how old its state is
    troubles.clear("broker-away");
    speaker.changed([]);
    announcer.changed();
  } else if (state === "dialing" && dialedBefore) {
    const title = "The broker cannot be reached";
    const detail = `${url}: what was last known keeps serving; changes elsewhere are not seen, and exports made here wait`;
    troubles.set({ code: "broker-away", severity: "warning", title, subject: "", detail });
  }
}

/** A way went up or down: flows leave a dead one at once, then routes follow, and services whose members it reaches. */
export function onVerdict(gateway: Gateway, id: string, up: boolean): void {
  const { reconciler, verdicts, options } = gateway;
  const cluster = id.slice(0, id.indexOf("/")) as ClusterId;
  if (!up) reconciler.steer();
  reconciler.markNetwork();
  if (cluster === options.cluster) return; // a sibling: no service depends on it
  verdicts.heard(cluster);
  markMember(gateway, cluster);
}

/** markMember looks again at every service that a member exports: it can be reached now, or no more. */
export function markMember({ reconciler, follower }: Gateway, cluster: ClusterId): void {
  reconciler.markHeld();
  reconciler.markServices(follower.catalogue.members.get(cluster)?.exports.keys() ?? []);
}

/** markModes looks again at what members export whose pods are reached in another way than before. */
export function markModes(
  gateway: Gateway,
  before: ReadonlyMap<ClusterId, PairMode>,
  now: ReadonlyMap<ClusterId, PairMode>,
): void {
  for (const [cluster, { kind }] of now) if ((before.get(cluster)?.kind ?? kind) !== kind) markMember(gateway, cluster);
}
