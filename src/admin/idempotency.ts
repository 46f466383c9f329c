import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Desk } from "./desk.ts";
import { Refused } from "./problem.ts";

/** Reply is an answer as it is sent. */
export interface Reply {
  readonly status: number;
  readonly text: string;
}

/** once carries a change out, or answers as the same request under the same Idempotency-Key was answered before.
 *  `act` gives the reply and what to keep of it for repeats; it is synchronous, so no second request comes between.
 *  A refusal is kept as well: only what could not be done now, or failed by a fault of ours, may be tried again. */
export function once(
  desk: Desk,
  { request, actor, body }: { readonly request: IncomingMessage; readonly actor: string; readonly body: unknown },
  act: () => { readonly reply: Reply; readonly keep: string },
): Reply {
  const key = keyOf(request, actor);
  if (key === null) return act().reply;
  const hash = createHash("sha256")
    .update(JSON.stringify([request.method, request.url, body ?? null]))
    .digest("hex");
  const known = desk.idempotent(key, hash);
  if (known === "other-request") {
    throw new Refused("idempotency-conflict", "use a new Idempotency-Key for each request that is not a repeat");
  }
  if (known !== null) return { status: known.status, text: known.body };
  try {
    const { reply, keep } = act();
    desk.remember(key, hash, reply.status, keep);
    return reply;
  } catch (error) {
    if (error instanceof Refused && error.problem.status < 500) {
      desk.remember(key, hash, error.problem.status, JSON.stringify(error.problem));
    }
    throw error;
  }
}

/** Keys of different actors are different keys. */
function keyOf({ headers }: IncomingMessage, actor: string): string | null {
  const given = headers["idempotency-key"];
  if (given === undefined) return null;
  if (typeof given !== "string" || !/^[!-~]{1,200}$/.test(given)) {
    throw new Refused("bad-request", "an Idempotency-Key is 1 to 200 visible ASCII characters");
  }
  return `${actor} ${given}`;
}
