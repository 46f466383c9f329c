import type { DeskFault } from "#admin";
import type { AuditEntry, StoreFault } from "#store";
import { err, type Result } from "#values";
import type { Book } from "./book.ts";

/** auditLine is what an operator did. */
export function auditLine(
  { clock }: Book,
  { action, subject, detail, by }: { action: string; subject: string; detail: string; by: string },
): AuditEntry {
  return { time: clock.now(), actor: by, action, subject, outcome: "done", detail };
}

/** unavailable is what an operator is told when the disk refuses. */
export function unavailable(fault: StoreFault): Result<never, DeskFault> {
  return err({ code: "unavailable", message: `the store refused: ${fault.message}` });
}
