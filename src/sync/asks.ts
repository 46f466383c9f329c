import { err, ok, type Result } from "#values";
import type { FromBroker } from "#wire";

/** Fault is why something asked of the broker was not done. */
export interface Fault {
  readonly code: string;
  readonly message: string;
}

export type Answer = Extract<FromBroker, { t: "ack" | "nack" | "epoch" }>;

const AWAY: Fault = { code: "broker-away", message: "the broker cannot be reached now" };

/** Asks are the questions of one client that wait for their answer. Numbers are never used twice, so that a late
 *  answer of an earlier session answers nothing. */
export class Asks {
  readonly #waiting = new Map<number, (answer: Answer | null) => void>();
  #nextId = 1;

  /** ask sends a question under a number of its own; without a session it is answered at once. */
  ask(send: (id: number) => void, connected: boolean): Promise<Result<Answer, Fault>> {
    if (!connected) return Promise.resolve(err(AWAY));
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#waiting.set(id, (answer) => {
        this.#waiting.delete(id);
        if (answer === null) resolve(err(AWAY));
        else resolve(answer.t === "nack" ? err({ code: answer.code, message: answer.message }) : ok(answer));
      });
      send(id);
    });
  }

  /** answer settles the question with its number; one that nobody asked is let be. */
  answer(answer: Answer): void {
    this.#waiting.get(answer.id)?.(answer);
  }

  /** end settles everything that waits: the session is over. */
  end(): void {
    for (const settle of [...this.#waiting.values()]) settle(null);
  }
}
