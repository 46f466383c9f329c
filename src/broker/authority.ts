import type { KeyObject } from "node:crypto";
import type { ClusterId, IdentityKey, Millis, Uid } from "#values";
import {
  type Envelope,
  type EvictionBody,
  formatKey,
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
  readonly #generation: number;

  /** generation is the store's: a restored one signs with a higher one, so that what it says is newer. */
  constructor(privateKey: KeyObject, generation: number) {
    this.#privateKey = privateKey;
    this.publicKey = identityKeyOf(privateKey);
    this.verifier = identityKeyObject(this.publicKey);
    this.#generation = generation;
  }

  member(body: { cluster: ClusterId; uid: Uid; generation: number; key: IdentityKey; joinedAt: Millis }): Envelope {
    const order = { epoch: this.#generation, seq: body.generation };
    return seal(
      this.#privateKey,
      formatKey({ kind: "member", cluster: body.cluster }),
      order,
      body satisfies MemberBody,
    );
  }

  eviction(body: { cluster: ClusterId; uid: Uid; generation: number; evictedAt: Millis }): Envelope {
    const order = { epoch: this.#generation, seq: body.generation };
    return seal(
      this.#privateKey,
      formatKey({ kind: "eviction", cluster: body.cluster }),
      order,
      body satisfies EvictionBody,
    );
  }

  /** grants signs entries under consecutive numbers, as few records as they fit in. */
  grants(entries: readonly GrantEntry[], firstNumber: number): readonly Envelope[] {
    const envelopes: Envelope[] = [];
    for (let at = 0; at < entries.length; at += MAX_GRANTS) {
      const number = firstNumber + envelopes.length;
      const order = { epoch: this.#generation, seq: number };
      const body = { number, entries: entries.slice(at, at + MAX_GRANTS) };
      envelopes.push(seal(this.#privateKey, formatKey({ kind: "grant", number }), order, body));
    }
    return envelopes;
  }
}
