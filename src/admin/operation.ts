import type { z } from "zod";
import type { Clock } from "#life";
import type { Role } from "./authorize.ts";
import type { Desk } from "./desk.ts";
import type { ProblemCode } from "./problem.ts";

/** Office is what the operations work with. */
export interface Office {
  readonly desk: Desk;
  readonly clock: Clock;
  readonly version: string;
}

/** OperationAsk is one request whose parts have passed their schemas. */
export interface OperationAsk<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Who asks, for the audit log. */
  readonly by: string;
  readonly signal: AbortSignal;
  /** The value of Last-Event-ID, with which a browser goes on after a lost connection. */
  readonly lastEventId: string | null;
}

/** Answered is a JSON answer. */
export interface Answered<Body = unknown> {
  readonly body: Body;
  /** What a repeat under the same Idempotency-Key is answered; a body with a secret in it must have one. */
  readonly repeat?: Body;
}

/** How an operation answers. `change` is synchronous, so that of two requests with one Idempotency-Key the second
 *  finds the answer of the first; `events` yields server-sent events until the asker goes. */
export type Handler<Ask, Body> =
  | { readonly kind: "read"; readonly run: (office: Office, ask: Ask) => Promise<Answered<Body>> }
  | { readonly kind: "change"; readonly run: (office: Office, ask: Ask) => Answered<Body> }
  | { readonly kind: "events"; readonly run: (office: Office, ask: Ask) => AsyncIterable<string> };

/** Operation is one line of the API's table, from which router, checks and document are made. */
export interface Operation {
  readonly id: string;
  readonly method: "GET" | "POST" | "DELETE";
  /** With `{name}` for each path parameter. */
  readonly path: string;
  readonly summary: string;
  readonly role: Role;
  readonly params: z.ZodObject;
  readonly query: z.ZodObject;
  readonly body: z.ZodType | null;
  readonly status: 200 | 201;
  readonly answer: z.ZodType;
  /** Problems of its own, besides those of every request. */
  readonly problems: readonly ProblemCode[];
  readonly handler: Handler<OperationAsk<never, never, never>, unknown>;
}

/** The ask of an operation, as its schemas give it. */
type Parts<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType | null> = OperationAsk<
  z.output<P>,
  z.output<Q>,
  B extends z.ZodType ? z.output<B> : null
>;

/** operation writes one line of the table; its handler sees the types of its schemas. */
export function operation<
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodType | null,
  A extends z.ZodType,
>(
  line: Omit<Operation, "params" | "query" | "body" | "answer" | "handler"> & {
    readonly params: P;
    readonly query: Q;
    readonly body: B;
    readonly answer: A;
    readonly handler: Handler<Parts<P, Q, B>, z.output<A>>;
  },
): Operation {
  return line as unknown as Operation;
}
