import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Secret } from "#life";
import { Refused } from "./problem.ts";

/** Role is what an operation needs: a viewer sees, an admin changes and reads the audit log. */
export type Role = "viewer" | "admin";

/** Grant is who asks, and what that one may do. */
export interface Grant {
  /** Name for the audit log. */
  readonly actor: string;
  readonly roles: readonly Role[];
}

/** Authorize decides for one request, and is asked for each: nothing is remembered between them. Throws Refused:
 *  401 without a good credential, 403 with one that may not do this. */
export type Authorize = (request: IncomingMessage, role: Role) => Grant;

const CHALLENGE = { "www-authenticate": 'Bearer realm="meridian"' };

/** authorizeByToken knows one token, which may do everything (RFC 6750). */
export function authorizeByToken(token: Secret): Authorize {
  const grant: Grant = { actor: "admin", roles: ["viewer", "admin"] };
  return ({ headers }, role) => {
    const [, given] = /^Bearer +([!-~]+) *$/i.exec(headers.authorization ?? "") ?? [];
    if (given === undefined)
      throw new Refused("unauthorized", "send Authorization: Bearer and the admin token", CHALLENGE);
    if (!isSame(given, token.reveal())) throw new Refused("unauthorized", "the token is not known", CHALLENGE);
    if (!grant.roles.includes(role)) throw new Refused("forbidden", `this needs the role ${role}`);
    return grant;
  };
}

/** isSame takes the same time for every guess: digests are compared, so not even the length shows. */
function isSame(given: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return wanted !== "" && timingSafeEqual(digest(given), digest(wanted));
}
