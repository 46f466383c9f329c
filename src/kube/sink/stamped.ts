import { part } from "./projection.ts";

/** HeldConditions is the status of the conditions of ours that an object has, and since when, by type. */
export type HeldConditions = ReadonlyMap<string, { readonly status: string; readonly since: string }>;

interface ConditionText {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** The API's limit of a condition's message (meta/v1 Condition). */
const MOST_TEXT = 32_768;

/** heldConditions reads them off an object. */
export function heldConditions(object: unknown): HeldConditions {
  const all = part(object, "status")["conditions"];
  if (!Array.isArray(all)) return new Map();
  return new Map(
    (all as readonly Readonly<Record<string, unknown>>[]).map(({ type, status, lastTransitionTime }) => {
      return [String(type), { status: String(status), since: String(lastTransitionTime) }];
    }),
  );
}

/** stamped gives conditions their time: that of before unless their status changes. */
export function stamped(conditions: readonly ConditionText[], held: HeldConditions, now: number) {
  const time = new Date(now).toISOString().replace(/\.\d+Z$/, "Z"); // metav1.Time has whole seconds
  return conditions.map(({ type, status, reason, message }) => {
    const before = held.get(type);
    const since = before?.status === status ? before.since : time;
    return { type, status, reason, message: message.slice(0, MOST_TEXT), lastTransitionTime: since };
  });
}
