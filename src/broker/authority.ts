import type { KeyObject } from "node:crypto";
import type { Store } from "#store";
import type { ClusterId, IdentityKey, Millis, Uid } from "#values";
import {
  type Envelope,
  type EvictionBody,
  formatKey,
  type GrantBody,
  type GrantEntry,
  identityKeyObject,
  identityKeyOf,
  MAX_GRANTS,
  type MemberBody,
  seal,
} from "#wire";

/** Authority is the allocation key at work: the only records that a broker may write are made here. */
export class Authority {
  readonly #privateKey: KeyObject;
  readonly publicKey: IdentityKey;
  readonly verifier: KeyObject;
  readonly #store: Pick<Store, "generation">;

  /** The generation is the store's: a restored one signs with a higher one, so that what it says is newer. */
  constructor(privateKey: KeyObject, store: Pick<Store, "generation">) {
    this.#privateKey = privateKey;
    this.publicKey = identityKeyOf(privateKey);
    this.verifier = identityKeyObject(this.publicKey);
    this.#store = store;
  }

  member(body: { cluster: ClusterId; uid: Uid; generation: number; key: IdentityKey; joinedAt: Millis }): Envelope {
    const order = { epoch: this.#store.generation, seq: body.generation };
    return seal(
      this.#privateKey,
      formatKey({ kind: "member", cluster: body.cluster }),
      order,
      body satisfies MemberBody,
    );
  }

  eviction(body: { cluster: ClusterId; uid: Uid; generation: number; evictedAt: Millis }): Envelope {
    const order = { epoch: this.#store.generation, seq: body.generation };
    return seal(
      this.#privateKey,
      formatKey({ kind: "eviction", cluster: body.cluster, generation: body.generation }),
      order,
      body satisfies EvictionBody,
    );
  }

  /** grants signs entries under consecutive numbers, as few records as they fit in. */
  grants(entries: readonly GrantEntry[], firstNumber: number): readonly Envelope[] {
    const envelopes: Envelope[] = [];
    for (let at = 0; at < entries.length; at += MAX_GRANTS) {
      const number = firstNumber + envelopes.length;
      const body = { number, entries: entries.slice(at, at + MAX_GRANTS) };
      envelopes.push(this.#grant(body));
    }
    return envelopes;
  }

  /** base signs all that is live as a run of grants, one at a time: with the last of them every earlier one is void. */
  *base(entries: readonly GrantEntry[], first: number): Generator<Envelope> {
    const parts = Math.max(1, Math.ceil(entries.length / MAX_GRANTS));
    for (let part = 0; part < parts; part += 1) {
      const some = entries.slice(part * MAX_GRANTS, (part + 1) * MAX_GRANTS);
      yield this.#grant({ number: first + part, entries: some, base: { first, parts } });
    }
  }

  #grant(body: GrantBody): Envelope {
    const order = { epoch: this.#store.generation, seq: body.number };
    return seal(this.#privateKey, formatKey({ kind: "grant", number: body.number }), order, body);
  }
}
