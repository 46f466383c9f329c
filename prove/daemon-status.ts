import { join } from "node:path";
import { askDaemon } from "#admin";
import type { Daemon } from "#lab";

/** statusOf is what `meridian status -o json` would say. The daemon's own socket lies in its folder, so it is asked from
 *  here, without a process of the CLI beside. */
export async function statusOf({ data }: Daemon): Promise<unknown> {
  const ask = { method: "GET", path: "/v1/status", signal: AbortSignal.timeout(10_000) } as const;
  const answer = await askDaemon(join(data, "admin.sock"), ask);
  if (!answer.ok) throw new Error(answer.error.message);
  return answer.value;
}
