import type { Refused, SessionState } from "#sync";
import type { ClusterId } from "#values";
import type { Batch, Welcome } from "#wire";
import type { Gateway } from "./state.ts";
import { exportKey } from "./statements.ts";

/** What happens around a gateway, and which of its parts must look again because of it. */

/** listen joins the catalogue, the manifests and the speaker. */
export function listen(gateway: Gateway): void {
  const { follower, source, reconciler, speaker, announcer, options, client, responder, session } = gateway;
  follower.onApplied((applied) => {
    reconciler.markServices(applied.exports);
    if (applied.members.size === 0 && !applied.grants) return;
    reconciler.markNetwork();
    announcer.changed();
    if (!applied.grants) return;
    speaker.changed([`nodes/${options.cluster}`]);
    if (applied.members.has(options.cluster)) speaker.changed(ownExportKeys(gateway));
  });
  follower.onOwnSnapshot = (records) => speaker.snapshot(records);
  follower.onMismatch = (clusters) => client.askSnapshot([...clusters]);
  source?.onChange(({ changed, manifests }) => {
    responder.update([{ kind: "namespaces", names: [...manifests.namespaces] }]);
    speaker.changed(changed.map((key) => exportKey(options.cluster, key)));
  });
  void source?.synced.then(() => {
    session.sourceSynced = true;
    speaker.changed([...follower.ownBodies.keys()]);
  });
}

function* ownExportKeys({ options, source }: Gateway): Generator<string> {
  for (const key of source?.current().exports.keys() ?? []) yield exportKey(options.cluster, key);
}

export async function onBatch({ session, follower, clock, reconciler }: Gateway, batch: Batch): Promise<void> {
  session.heardAt = clock.monotonic();
  await follower.batch(batch);
  if (!batch.more && reconciler.passes === 0) reconciler.markNetwork();
}

/** onWelcome gives the reason for which this broker cannot be ours; undefined where it is. */
export function onWelcome(gateway: Gateway, welcome: Welcome): string | undefined {
  const { membership, follower, session, cache, announcer, speaker, troubles } = gateway;
  const done = membership.welcomed(welcome);
  if (!done.ok) return done.error;
  session.supernets = welcome.supernets;
  session.seen = welcome.seen;
  cache.setValue("supernets", welcome.supernets.join(","));
  cache.setValue("seen", welcome.seen);
  follower.welcomed(welcome.store);
  announcer.welcomed(welcome.incarnation);
  speaker.welcomed(welcome.head);
  troubles.clear("broker-refused");
  return undefined;
}

/** onRefused gives the reason to end: a join that was refused for good. */
export function onRefused({ membership, troubles }: Gateway, { code, message, retry }: Refused): string | undefined {
  if (membership.identity === null && !retry) return `the broker refused the join (${code}): ${message}`;
  const title = "The broker refuses this gateway";
  troubles.set({ code: "broker-refused", severity: "critical", title, subject: "", detail: `${code}: ${message}` });
  return undefined;
}

export function onSession(
  { session, speaker, announcer, clock, troubles }: Gateway,
  state: SessionState,
  url: string,
): void {
  session.state = state;
  session.url = url;
  if (state === "live") {
    session.heardAt = clock.monotonic();
    troubles.clear("broker-away");
    speaker.changed([]);
    announcer.changed();
  } else if (state === "dialing" && session.heardAt !== null) {
    const title = "The broker cannot be reached";
    const detail = `${url}: what was last known keeps serving; changes elsewhere are not seen, and exports made here wait`;
    troubles.set({ code: "broker-away", severity: "warning", title, subject: "", detail });
  }
}

/** A way went up or down: routes follow, and services whose members it reaches. */
export function onVerdict({ reconciler, follower }: Gateway, id: string): void {
  const cluster = id.slice(0, id.indexOf("/")) as ClusterId;
  reconciler.markNetwork();
  reconciler.markHeld();
  reconciler.markServices(follower.catalogue.members.get(cluster)?.exports.keys() ?? []);
}
