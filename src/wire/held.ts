import { compareOrder, type Envelope, inChronicle, type Order, type RecordKind } from "./record.ts";
import { Tally } from "./tally.ts";

/** Held says which records are in force, by key: their orders and digests, not their texts. */
export class Held {
  readonly #orders = new Map<string, { readonly order: Order; readonly digest: string }>();
  /** The part of it that two parties compare when they meet: see inChronicle(). */
  readonly chronicle = new Tally();

  get(key: string): { readonly order: Order; readonly digest: string } | undefined {
    return this.#orders.get(key);
  }

  /** has reports whether exactly this record is in force. */
  has(key: string, order: Order, digest: string): boolean {
    const held = this.#orders.get(key);
    return held?.digest === digest && compareOrder(held.order, order) === 0;
  }

  put({ key, order }: Envelope, digest: string): void {
    this.#orders.set(key, { order, digest });
    if (inChronicle(kindOf(key))) this.chronicle.put(key, order, digest);
  }

  delete(key: string): void {
    this.#orders.delete(key);
    if (inChronicle(kindOf(key))) this.chronicle.remove(key);
  }
}

/** Keys come in here parsed: what stands before the slash is a kind. */
function kindOf(key: string): RecordKind {
  return key.slice(0, key.indexOf("/")) as RecordKind;
}
