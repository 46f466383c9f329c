import { z } from "zod";
import type { Invite } from "#store";
import { orRefuse } from "./desk-fault.ts";
import { type Operation, operation } from "./operation.ts";
import { pageOf } from "./paging.ts";
import { doneAnswer, invite, inviteAnswer, inviteAsk, listOf, paging } from "./schemas.ts";
import { viewInvite } from "./views.ts";

const none = z.strictObject({});

/** Who may join. */
export const inviteOperations: readonly Operation[] = [
  operation({
    id: "listInvites",
    method: "GET",
    path: "/v1/invites",
    summary: "All invites, the oldest first; never their tokens",
    role: "viewer",
    params: none,
    query: z.strictObject(paging),
    body: null,
    status: 200,
    answer: listOf(invite),
    problems: [],
    handler: {
      kind: "read",
      run: async ({ desk, clock }, { query, signal }) => {
        const revision = desk.revision();
        const now = clock.now();
        const sorted = [...desk.invites()].sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
        const listing = {
          name: "invites",
          place: ({ createdAt, id }: Invite) => [createdAt, id],
          view: (of: Invite) => viewInvite(of, now),
        };
        return { body: { revision, ...(await pageOf(sorted, listing, query, signal)) } };
      },
    },
  }),
  operation({
    id: "createInvite",
    method: "POST",
    path: "/v1/invites",
    summary:
      "Make a join token. It is shown in this answer alone: a repeat under the same Idempotency-Key answers the same " +
      "invite with `token: null`, since no token is kept; revoke that invite and make another",
    role: "admin",
    params: none,
    query: none,
    body: inviteAsk,
    status: 201,
    answer: inviteAnswer,
    problems: ["exhausted", "unavailable"],
    handler: {
      kind: "change",
      run: ({ desk, clock }, { body: { cluster, ttlSeconds, uses }, by }) => {
        const made = orRefuse(desk.invite({ cluster, ttlMs: Math.round(ttlSeconds * 1000), uses }, by));
        const shown = { revision: desk.revision(), ...viewInvite(made.invite, clock.now()) };
        return { body: { ...shown, token: made.token }, repeat: { ...shown, token: null } };
      },
    },
  }),
  operation({
    id: "revokeInvite",
    method: "DELETE",
    path: "/v1/invites/{id}",
    summary: "Revoke an invite: nobody joins with it any more; who has joined stays",
    role: "admin",
    params: z.strictObject({ id: z.string().meta({ examples: ["invite-1"] }) }),
    query: none,
    body: null,
    status: 200,
    answer: doneAnswer,
    problems: ["not-found", "unavailable"],
    handler: {
      kind: "change",
      run: ({ desk }, { params, by }) => ({ body: { revision: orRefuse(desk.revokeInvite(params.id, by)) } }),
    },
  }),
];
