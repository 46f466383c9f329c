import { hash } from "node:crypto";
import type { Revision } from "#values";
import type { AuditEntry, AuditRow } from "./store.ts";

/** Link is a place in the chain: the number and the hash of one row, or the start before the first. */
export interface Link {
  readonly number: number;
  readonly hash: string;
}

export const CHAIN_START: Link = { number: 0, hash: "" };

/** nextRow chains an entry to the row before it: hash = SHA-256(hash before + canonical row), in base64url. Nobody can
 *  change, drop or insert a row without every later hash showing it. */
export function nextRow(before: Link, revision: Revision, entry: AuditEntry): AuditRow {
  const number = before.number + 1;
  const clean: AuditEntry = {
    time: entry.time,
    actor: entry.actor.toWellFormed(), // what UTF-8 cannot hold would come back from the disk as something else
    action: entry.action.toWellFormed(),
    subject: entry.subject.toWellFormed(),
    outcome: entry.outcome,
    detail: entry.detail.toWellFormed(),
  };
  return { number, revision, ...clean, hash: linkHash(before, revision, clean) };
}

/** follows reports whether a row is the one after a link. */
export function follows(before: Link, row: AuditRow): boolean {
  return row.number === before.number + 1 && row.hash === linkHash(before, row.revision, row);
}

/** Canonical is the JSON array of the fields in this order: no two rows have the same text. */
function linkHash(before: Link, revision: Revision, entry: AuditEntry): string {
  const { time, actor, action, subject, outcome, detail } = entry;
  const row = [before.hash, before.number + 1, revision, time, actor, action, subject, outcome, detail];
  return hash("sha256", JSON.stringify(row), "base64url");
}
