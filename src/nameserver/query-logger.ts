import { type ErrorsRule, isWithin, type LoggedQuery, type LogRule, lostLogged, takeLogged } from "#dns";
import { type Clock, isAbort, type Room } from "#life";
import { logLine, nameText, questionType } from "./log-line.ts";
import type { Server } from "./server.ts";

/** How often the rings are emptied, and how many queries of each at a time: 80,000 lines a second at most. */
const PAUSE_MS = 50;
const MOST = 1000;
const SERVFAIL = 2;
const NXDOMAIN = 3;

export interface QueryLoggerOptions {
  readonly servers: () => readonly Server[];
  readonly clock: Clock;
  /** Takes whole lines: CoreDNS's log is on stdout. */
  readonly out: (text: string) => void;
}

/** createQueryLogger writes the lines that `log` and `errors` ask for, after the fact: no query waits for its line, and
 *  what comes faster than it can be written is counted in a line of its own. */
export function createQueryLogger({ servers, clock, out }: QueryLoggerOptions): Room {
  const errors = new ErrorLog(clock, out);
  let lost = 0;
  const drain = (): boolean => {
    const taken = servers().flatMap((server) => {
      if (server.watch === undefined) return [];
      const found = takeLogged(server.watch, MOST);
      for (const query of found) tellOne(server, query, errors, out);
      return found;
    });
    const before = lost;
    lost = servers().reduce((sum, { watch }) => sum + (watch === undefined ? 0 : lostLogged(watch)), 0);
    if (lost > before) out(`[WARNING] plugin/log: ${lost - before} queries came too fast to be logged\n`);
    return taken.length > 0;
  };
  return {
    name: "query-log",
    async run(signal) {
      while (!signal.aborted) {
        await clock.sleep(drain() ? 1 : PAUSE_MS, signal).catch((reason: unknown) => {
          if (!isAbort(reason)) throw reason;
        });
        errors.flush(false);
      }
      drain();
      errors.flush(true);
    },
  };
}

function tellOne(
  { plan, responder }: Server,
  query: LoggedQuery & { readonly listener: number },
  errors: ErrorLog,
  out: (text: string) => void,
): void {
  const name = nameText(query.question);
  const at = responder.bound[query.listener];
  for (const rule of plan.log) if (wants(rule, query, name)) out(`[INFO] ${logLine(rule.format, query, at)}\n`);
  if (plan.errors !== null && query.rcode === SERVFAIL) errors.add(plan.errors, query, name);
}

/** wants reports whether a rule is for a query: its name, and the class of its reply (plugin/pkg/response). */
function wants({ zones, classes }: LogRule, query: LoggedQuery, name: string): boolean {
  if (!zones.some((zone) => isWithin(name.slice(0, -1), zone))) return false;
  return classes.includes("all") || classes.includes(classOf(query));
}

function classOf({ rcode, replyHeader }: LoggedQuery): "success" | "denial" | "error" {
  const answers = ((replyHeader[6] ?? 0) << 8) | (replyHeader[7] ?? 0);
  if (rcode === 0) return answers > 0 ? "success" : "denial";
  return rcode === NXDOMAIN ? "denial" : "error";
}

/** Errors that a rule gathers. */
interface Gathered {
  readonly since: number;
  readonly first: string;
  count: number;
}

/** ErrorLog writes a line for each failure, or one for many where `consolidate` says so. */
class ErrorLog {
  readonly #clock: Clock;
  readonly #out: (text: string) => void;
  readonly #gathered = new Map<ErrorsRule["consolidate"][number], Gathered>();

  constructor(clock: Clock, out: (text: string) => void) {
    this.#clock = clock;
    this.#out = out;
  }

  add({ consolidate }: ErrorsRule, query: LoggedQuery, name: string): void {
    const text = `${SERVFAIL} ${name} ${questionType(query.question)}: not ready: the manifests have not been read completely`;
    const rule = consolidate.find(({ pattern }) => pattern.test(text));
    if (rule === undefined) return this.#out(`[ERROR] plugin/errors: ${text}\n`);
    const known = this.#gathered.get(rule);
    if (known !== undefined) known.count += 1;
    else {
      this.#gathered.set(rule, { since: this.#clock.monotonic(), first: text, count: 1 });
      if (rule.showFirst) this.#out(`[${rule.level.toUpperCase()}] plugin/errors: ${text}\n`);
    }
  }

  /** flush writes what has been gathered long enough, or all of it. */
  flush(all: boolean): void {
    for (const [rule, { since, count }] of this.#gathered) {
      if (!all && this.#clock.monotonic() - since < rule.everyMs) continue;
      this.#gathered.delete(rule);
      const span = `${rule.everyMs / 1000}s`;
      this.#out(
        `[${rule.level.toUpperCase()}] plugin/errors: ${count} errors like '${rule.pattern.source}' occurred in last ${span}\n`,
      );
    }
  }
}
