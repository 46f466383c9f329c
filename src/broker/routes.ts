import { z } from "zod";
import type { Desk, Route } from "#admin";
import { err, ok, parseClusterId, parseIp, type Result } from "#values";
import type { Broker } from "./broker.ts";

const inviteBody = z.strictObject({
  cluster: z.string().max(63).nullish(),
  ttlSeconds: z
    .number()
    .min(1)
    .max(30 * 86_400),
  uses: z.number().int().min(1).max(1000),
});

const backupBody = z.strictObject({ path: z.string().startsWith("/").max(4000) });

type Answer = Promise<Result<unknown, { readonly code: string; readonly message: string }>>;

/** brokerRoutes are the verbs that talk to a broker on its own host, by the socket in its data folder: whoever can
 *  open that needs no other credential. */
export function brokerRoutes({ desk, status, backup }: Broker): readonly Route[] {
  const routes: readonly Route[] = [
    { method: "GET", path: "/v1/status", handle: async () => ok(status()) },
    { method: "POST", path: "/v1/invites", handle: ({ body }) => invite(desk, body) },
    { method: "POST", path: "/v1/backup", handle: ({ body }) => backUp(backup, body) },
    { method: "GET", path: "/v1/ipam", handle: async () => ok(rowsOf(desk)) },
    { method: "GET", path: "/v1/whois", handle: ({ query }) => owner(desk, query["address"] ?? "") },
  ];
  return routes.map((route) => ({ ...route, handle: (ask) => whenSettled(desk, route.handle(ask)) }));
}

/** No answer tells of what is not on the disk. */
async function whenSettled<T>(desk: Broker["desk"], answer: Promise<T>): Promise<T> {
  const said = await answer;
  await desk.settled();
  return said;
}

async function backUp(backup: Broker["backup"], body: unknown): Answer {
  const ask = backupBody.safeParse(body);
  if (!ask.success) return err({ code: "invalid", message: z.prettifyError(ask.error) });
  const done = await backup(ask.data.path);
  return done.ok ? ok({ path: ask.data.path }) : err({ code: "unavailable", message: done.error });
}

async function invite(desk: Desk, body: unknown): Answer {
  const ask = inviteBody.safeParse(body);
  if (!ask.success) return err({ code: "invalid", message: z.prettifyError(ask.error) });
  const cluster = ask.data.cluster == null ? ok(null) : parseClusterId(ask.data.cluster);
  if (!cluster.ok) return err({ code: "invalid", message: cluster.error });
  const { ttlSeconds, uses } = ask.data;
  const made = desk.invite({ cluster: cluster.value, ttlMs: ttlSeconds * 1000, uses }, "admin.sock");
  if (!made.ok) return made;
  const { hash: _, ...shown } = made.value.invite;
  return ok({ ...shown, token: made.value.token });
}

function rowsOf(desk: Desk): readonly unknown[] {
  return desk.allocations().map(({ cluster, kind, prefix, local, namespace, name, state, since }) => ({
    cluster,
    kind,
    prefix,
    local,
    namespace,
    name,
    state,
    since: new Date(since).toISOString(),
  }));
}

async function owner(desk: Desk, text: string): Answer {
  const address = parseIp(text);
  if (!address.ok) return err({ code: "invalid", message: address.error });
  const found = desk.whois(address.value);
  if (found === undefined)
    return err({ code: "unknown", message: `${address.value} belongs to nobody in the clusterset` });
  const { cluster, kind, namespace, name, since } = found.allocation;
  return ok({
    address: address.value,
    cluster,
    kind,
    local: found.local,
    namespace,
    name,
    since: new Date(since).toISOString(),
  });
}
