import type { BrokerUnderTest } from "../hostile/broker-under-test.ts";

/** How many writes are tried before a fault counts as one that does not bite. */
const MOST = 2000;

/** Refusal is a write that was not acknowledged: its status, or none where no answer came at all. */
export interface Refusal {
  readonly status: number | null;
  readonly detail: string;
}

/** Promised is what a broker has acknowledged, one small write after the other: invites. Each must be there later (N1),
 *  and of those that were refused with an answer none may be. */
export class Promised {
  readonly #broker: BrokerUnderTest;
  readonly #before: Promise<readonly string[]>;
  readonly #made = new Set<string>();
  /** The one that had no answer may be there or not. */
  #open = 0;

  constructor(broker: BrokerUnderTest) {
    this.#broker = broker;
    this.#before = invitesOf(broker);
  }

  get count(): number {
    return this.#made.size;
  }

  /** write makes one more; a refusal where it was not acknowledged. */
  async write(): Promise<Refusal | null> {
    await this.#before;
    try {
      const { status, id, detail } = await this.#broker.tryInvite();
      if (status !== 201 || id === null) return { status, detail };
      this.#made.add(id);
      return null;
    } catch (error) {
      this.#open += 1;
      return { status: null, detail: String(error) };
    }
  }

  async untilRefused(): Promise<Refusal> {
    for (let i = 0; i < MOST; i += 1) {
      const refused = await this.write();
      if (refused !== null) return refused;
    }
    throw new Error(`${MOST} writes were acknowledged`);
  }

  /** broken says which promises the broker does not keep now. */
  async broken(): Promise<readonly string[]> {
    const [before, now] = [new Set(await this.#before), new Set(await invitesOf(this.#broker))];
    const lost = [...this.#made].filter((id) => !now.has(id)).map((id) => `${id} was acknowledged and is gone`);
    const risen = [...now].filter((id) => !before.has(id) && !this.#made.has(id));
    return risen.length > this.#open ? [...lost, ...risen.map((id) => `${id} was refused and is there`)] : lost;
  }
}

async function invitesOf(broker: BrokerUnderTest): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let next = ""; ; ) {
    const page = await broker.get<{ items: { id: string }[]; continue: string | null }>(
      `/v1/invites?limit=1000${next === "" ? "" : `&continue=${encodeURIComponent(next)}`}`,
    );
    ids.push(...page.items.map(({ id }) => id));
    if (page.continue === null) return ids;
    next = page.continue;
  }
}
