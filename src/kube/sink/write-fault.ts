import type { ApiFault } from "../api/fault.ts";

/** foreign is why an object is not written: it was not made by us. */
export function foreign(kind: string, key: string): ApiFault {
  const message = `${kind} ${key} is somebody else's and is left alone: delete it there, or rename the export`;
  return { code: 409, reason: "Foreign", message, retryAfterMs: null };
}

/** altered is why an object is not written again and again. */
export function altered(kind: string, key: string): ApiFault {
  const message = `${kind} ${key} is changed by somebody (an admission webhook?) as soon as it is written`;
  return { code: 409, reason: "Altered", message, retryAfterMs: null };
}
