import type { Troubles } from "#life";
import type { ApiFault } from "./api/fault.ts";

const TROUBLE = "kubernetes-unread";

/** tellUnread tells that objects cannot be read, by the name of the right that it takes, or (null) that they can be. */
export function tellUnread(troubles: Troubles, right: string, fault: ApiFault | null): void {
  if (fault === null) return troubles.clear(TROUBLE, right);
  const title = "The API server does not let objects be read";
  const detail = `${remedyOf(right, fault)} (${fault.message}); what was last known stays in force`;
  troubles.set({ code: TROUBLE, severity: severityOf(fault), title, subject: right, detail });
}

function severityOf({ code }: ApiFault): "critical" | "warning" {
  return code === 401 || code === 403 || code === 404 ? "critical" : "warning";
}

function remedyOf(right: string, { code, reason }: ApiFault): string {
  if (code === 403) return `the right to list and watch ${right} is missing: have it granted by RBAC`;
  if (code === 401) return "the credentials were refused";
  if (code === 404) return `the API server does not serve ${right}: apply deploy/crds`;
  return code === 0 ? "it cannot be reached" : `it answers ${code} ${reason}`;
}
