import { z } from "zod";
import type { AuditRow } from "#store";
import type { Revision } from "#values";
import type { Envelope } from "#wire";
import { type Operation, operation } from "./operation.ts";
import { pageOf, readContinue } from "./paging.ts";
import { auditRow, clusterId, listOf, paging, RECORD_KINDS, record, since } from "./schemas.ts";
import { viewAudit, viewRecord } from "./views.ts";
import { watch } from "./watch.ts";

const none = z.strictObject({});

/** A record and the revision at which it came to be what it is. */
interface Stored {
  readonly envelope: Envelope;
  readonly revision: Revision;
}

/** What was written: records as they are, as they change, and who changed what. */
export const logOperations: readonly Operation[] = [
  operation({
    id: "listRecords",
    method: "GET",
    path: "/v1/records",
    summary:
      "Records as signed, in the order of their revisions. With the first page's revision as `since`, /v1/watch goes " +
      "on where the list ends",
    role: "viewer",
    params: none,
    query: z.strictObject({ kind: z.enum(RECORD_KINDS).optional(), cluster: clusterId.optional(), ...paging }),
    body: null,
    status: 200,
    answer: listOf(record),
    problems: [],
    handler: {
      kind: "read",
      run: async ({ desk }, { query, signal }) => {
        const revision = desk.revision();
        const listing = {
          name: "records",
          wanted: wantedBy(query),
          place: (of: Stored) => [of.revision, of.envelope.key],
          view: (of: Stored) => viewRecord(of.envelope, of.revision),
          weight: (of: Stored) => of.envelope.body.length,
        };
        const records = inOrder(desk.records(), revision);
        return { body: { revision, ...(await pageOf(records, listing, query, signal)) } };
      },
    },
  }),
  operation({
    id: "watch",
    method: "GET",
    path: "/v1/watch",
    summary:
      "The log as server-sent events: first what changed since a revision, each record once as it is now, then the " +
      "event `synced`, then every change. The id of an event is the revision that is complete with it",
    role: "viewer",
    params: none,
    query: z.strictObject({ since: since.optional().describe("Without it: only what happens from now on") }),
    body: null,
    status: 200,
    answer: z.string(),
    problems: ["revision-gone", "unavailable"],
    handler: { kind: "events", run: watch },
  }),
  operation({
    id: "listAudit",
    method: "GET",
    path: "/v1/audit",
    summary: "The audit log above a row's number, the oldest first",
    role: "admin",
    params: none,
    query: z.strictObject({ since: since.default(0), ...paging }),
    body: null,
    status: 200,
    answer: listOf(auditRow),
    problems: [],
    handler: {
      kind: "read",
      run: async ({ desk }, { query, signal }) => {
        const revision = desk.revision();
        const listing = { name: "audit", place: (row: AuditRow) => [row.number], view: viewAudit };
        const [after = 0] = query.continue === undefined ? [] : readContinue("audit", query.continue);
        const rows = desk.audit(Math.max(query.since, Number(after)), query.limit + 1);
        return { body: { revision, ...(await pageOf(rows, listing, query, signal)) } };
      },
    },
  }),
];

/** wantedBy looks at the texts of keys: parsing each of a hundred thousand would take most of the time of a list. */
function wantedBy({ kind, cluster }: { kind?: string | undefined; cluster?: string | undefined }) {
  return ({ envelope: { key } }: Stored): boolean => {
    if (kind !== undefined && !key.startsWith(`${kind}/`)) return false;
    return cluster === undefined || (key.split("/", 2)[1] === cluster && !key.startsWith("grant/"));
  };
}

/** inOrder gives records by revision and within one by key, up to a revision: what changes while the list is being
 *  read has a higher one, and is for the watch. */
function* inOrder(records: Iterable<Stored>, upTo: Revision): Generator<Stored> {
  let group: Stored[] = [];
  const sorted = (): Stored[] => group.sort((a, b) => (a.envelope.key < b.envelope.key ? -1 : 1));
  for (const stored of records) {
    if (stored.revision > upTo) continue;
    if (group[0] !== undefined && group[0].revision !== stored.revision) {
      yield* sorted();
      group = [];
    }
    group.push(stored);
  }
  yield* sorted();
}
