import { TestClock } from "#lab";
import { silentLog } from "#life";
import type { ClusterId, Revision } from "#values";
import { type Envelope, identityKeyOf, type Welcome } from "#wire";
import { openCache } from "./cache.ts";
import { compose } from "./compose.ts";
import { listen } from "./events.ts";
import { Membership } from "./membership.ts";
import type { GatewayOptions } from "./options.ts";
import type { Gateway } from "./state.ts";
import { allocationKey, dataDir, optionsOf, STORE, TestMember } from "./testbed.ts";

/** Composed is amber's gateway with all its parts, none of which runs: what happens to it a test says. */
export interface Composed {
  readonly gateway: Gateway;
  readonly clock: TestClock;
  readonly amber: TestMember;
  readonly dir: string;
  /** Why it would have ended. */
  readonly fatal: readonly string[];
  /** hears is a change of the broker's. */
  hears(...put: readonly Envelope[]): Promise<void>;
}

/** composed makes a gateway that has joined; `reach` are the clusters to which a way is up, where it has a data plane. */
export function composed(change: Partial<GatewayOptions> = {}, reach?: readonly string[]): Composed {
  const dir = change.dataDir ?? dataDir();
  const options = optionsOf({ dataDir: dir, ...change });
  const amber = new TestMember("amber", 1);
  const cache = openCache(dir);
  if (!cache.ok) throw new Error(cache.error);
  const fatal: string[] = [];
  const clock = new TestClock();
  const dataPlane = {
    mode: reach === undefined ? "none" : "kernel",
    implementation: "wireguard",
    version: null,
  } as never;
  const membership = new Membership(options, amber, identityOf(amber), null);
  const found = {
    dataPlane,
    membership,
    cache: cache.value,
    tunnelKey: "" as never,
    routes: [],
    live: null,
    host: null,
  };
  const gateway = compose(options, { clock, log: silentLog, random: () => 0.5 }, found, (reason) => fatal.push(reason));
  const reaches = (cluster: ClusterId): boolean => reach?.includes(cluster) === true;
  Object.assign(gateway.prober, { reaches });
  listen(gateway);
  gateway.follower.welcomed(STORE);
  let revision = 0;
  const hears = (...put: readonly Envelope[]): Promise<void> => {
    revision += 1;
    const batch = { put: [...put], remove: [], snapshot: false, more: false, revision: revision as Revision };
    return gateway.follower.batch(batch);
  };
  return { gateway, clock, amber, dir, fatal, hears };
}

function identityOf({ cluster, uid, privateKey, generation }: TestMember) {
  return {
    ...{ cluster, uid, privateKey, generation, publicKey: identityKeyOf(privateKey), gateway: null },
    ...{ brokers: ["wss://192.0.2.9:7443"], brokerCa: "", allocationKey: identityKeyOf(allocationKey) },
  };
}

/** welcomeOf is a welcome by the broker that amber joined. */
export function welcomeOf({ uid, generation }: TestMember, change: Partial<Welcome> = {}): Welcome {
  return {
    ...{ t: "welcome", uid, generation, store: STORE, revision: 1 as Revision, supernets: ["242.0.0.0/8"] },
    ...{ allocationKey: identityKeyOf(allocationKey), index: 0, incarnation: 0, epoch: 0, head: null },
    seen: "198.51.100.1",
    ...change,
  } as Welcome;
}
