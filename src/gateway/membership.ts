import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import {
  brokerTls,
  endPendingJoin,
  fingerprintOf,
  type Identity,
  type JoinToken,
  parseToken,
  pendingJoin,
  readIdentity,
  signProof,
  writeIdentity,
} from "#identity";
import type { Clock } from "#life";
import { fetchCa } from "#sync";
import {
  type ClusterId,
  err,
  type IdentityKey,
  type NodeName,
  ok,
  type Result,
  type TunnelKey,
  type Uid,
} from "#values";
import { type Envelope, identityKeyObject, identityKeyOf, type Login, type Network, type Welcome } from "#wire";
import type { GatewayOptions } from "./options.ts";

/** MembershipOptions is what a membership needs to be told. */
export type MembershipOptions = Pick<GatewayOptions, "cluster" | "dataDir" | "identityFile" | "joinToken" | "name">;

interface Joining {
  readonly token: JoinToken;
  readonly caPem: string;
}

/** LoginFacts is what a login says beside who it is. */
export interface LoginFacts {
  readonly tunnelKey: TunnelKey | null;
  readonly network: Network;
  /** Where the exports are read; null where nobody said. */
  readonly source: string | null;
  /** What made us a member, once we have it. */
  readonly membership: readonly Envelope[];
  /** This host until it boots again; null where it cannot be told. */
  readonly host: string | null;
}

/** Membership is who this gateway is: a member by its identity file, or about to become one by a token. */
export class Membership {
  readonly cluster: ClusterId;
  readonly uid: Uid;
  readonly privateKey: KeyObject;
  readonly publicKey: IdentityKey;
  readonly #options: MembershipOptions;
  #identity: Identity | null;
  readonly #joining: Joining | null;
  #verifier: KeyObject | null = null;
  /** Whether the broker has shown that our membership is over: then a new token is used, if there is one. */
  #ended = false;

  constructor(
    options: MembershipOptions,
    who: { uid: Uid; privateKey: KeyObject },
    identity: Identity | null,
    joining: Joining | null,
  ) {
    this.cluster = options.cluster;
    this.uid = who.uid;
    this.privateKey = who.privateKey;
    this.publicKey = identityKeyOf(who.privateKey);
    this.#options = options;
    this.#identity = identity;
    this.#joining = joining;
  }

  /** Null until the broker has admitted us for the first time. */
  get identity(): Identity | null {
    return this.#identity;
  }

  urls(): readonly string[] {
    return this.#identity?.brokers ?? (this.#joining === null ? [] : [this.#joining.token.url]);
  }

  tls(): ReturnType<typeof brokerTls> {
    return brokerTls(this.#identity?.brokerCa ?? this.#joining?.caPem ?? "");
  }

  /** The broker's allocation key, pinned at the first welcome. */
  verifier(): KeyObject {
    if (this.#identity === null) throw new Error("the allocation key is not known before the first welcome");
    this.#verifier ??= identityKeyObject(this.#identity.allocationKey);
    return this.#verifier;
  }

  /** ended notes that the broker does not count us as a member any more, and tells whether a token may change that. */
  ended(): boolean {
    this.#ended = true;
    return this.#joining !== null;
  }

  /** login answers a challenge; the token goes along only while there is no identity, or its membership is over. */
  login(
    binding: { exporter: Uint8Array; nonce: Uint8Array },
    { tunnelKey, network, source, membership, host }: LoginFacts,
  ): Login {
    const { cluster, uid, publicKey } = this;
    const gateway = this.#options.name;
    const token = this.#identity === null || this.#ended ? (this.#joining?.token ?? null) : null;
    return {
      t: "login",
      cluster,
      uid,
      generation: this.#identity?.generation ?? 0,
      gateway,
      key: publicKey,
      tunnelKey,
      source,
      join: token === null ? null : { id: token.id, secret: token.secret.reveal() },
      network,
      membership: [...membership],
      host,
      proof: signProof(this.privateKey, { ...binding, cluster, uid, gateway }),
    };
  }

  /** welcomed makes the membership durable at the first welcome, and checks that the broker is the one we joined. */
  welcomed({ uid, generation, allocationKey }: Welcome): Result<void> {
    const before = this.#identity;
    if (before !== null && before.allocationKey !== allocationKey) {
      return err(
        `the broker signs with ${fingerprintOf(allocationKey)}; this member trusts ${fingerprintOf(before.allocationKey)}`,
      );
    }
    this.#ended = false;
    if (uid !== this.uid) return err(`the broker says uid ${uid}, ours is ${this.uid}`);
    if (before?.generation === generation) return ok(undefined);
    const { cluster, privateKey, publicKey } = this;
    // An identity file in our own data folder is ours alone; one that was named by hand may be shared.
    const { identityFile, dataDir, name } = this.#options;
    const alone = identityFile === join(dataDir, "identity.json") ? name : null;
    const brokers = this.urls();
    const identity: Identity = {
      cluster,
      uid,
      privateKey,
      publicKey,
      generation,
      gateway: before === null ? alone : before.gateway,
      brokers,
      brokerCa: this.tls().ca,
      allocationKey,
    };
    const written = writeIdentity(identityFile, identity);
    if (!written.ok) return written;
    this.#identity = identity;
    return endPendingJoin(this.#options.dataDir);
  }
}

/** openMembership reads the identity file; where there is none it prepares a join: the key is on the disk, and the
 *  broker's authority checked against the token, before anything is redeemed. */
export async function openMembership(
  options: MembershipOptions,
  clock: Clock,
  signal: AbortSignal,
): Promise<Result<Membership>> {
  const found = readIdentity(options.identityFile);
  if (found.ok) {
    const fault = mismatch(found.value, options);
    return fault === undefined
      ? ok(new Membership(options, found.value, found.value, spare(options, found.value)))
      : err(fault);
  }
  if (found.error.code !== "missing") return err(found.error.message);
  if (options.joinToken === null) {
    return err(
      `${options.identityFile} is missing, so this host is no member yet: give --join-token or --join-token-file (meridian invite makes one)`,
    );
  }
  const token = parseToken(options.joinToken.reveal());
  if (!token.ok) return err(`--join-token: ${token.error}`);
  const pending = pendingJoin(options.dataDir, options.cluster);
  if (!pending.ok) return pending;
  const ca = await fetchCa(token.value.url, token.value.fingerprint, { now: clock.now(), signal });
  if (!ca.ok) return ca;
  return ok(new Membership(options, pending.value, null, { token: token.value, caPem: ca.value }));
}

/** A token that is given beside an identity is kept for the case that this membership has ended. The broker is the one
 *  that we know: its authority does not come from the token. */
function spare({ joinToken }: MembershipOptions, { brokerCa }: Identity): Joining | null {
  const token = joinToken === null ? null : parseToken(joinToken.reveal());
  return token?.ok === true ? { token: token.value, caPem: brokerCa } : null;
}

function mismatch(identity: Identity, { cluster, name, identityFile }: MembershipOptions): string | undefined {
  if (identity.cluster !== cluster)
    return `${identityFile} is of cluster ${identity.cluster}, but --cluster is ${cluster}`;
  if (identity.gateway !== null && identity.gateway !== (name as NodeName)) {
    return `${identityFile} serves only the gateway ${identity.gateway}, but --name is ${name}: give another gateway its own name and the shared --identity`;
  }
  return undefined;
}
