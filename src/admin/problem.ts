import type { ServerResponse } from "node:http";
import { sendText } from "./send.ts";

/** What each code answers. Codes are stable and part of the type URI; titles are for people. */
const CATALOGUE = {
  "bad-request": [400, "The request is malformed"],
  unauthorized: [401, "A credential is needed"],
  forbidden: [403, "This is not allowed"],
  "foreign-host": [403, "The Host header names another server"],
  "foreign-origin": [403, "Requests from other web origins are refused"],
  "not-found": [404, "There is nothing of that name"],
  "method-not-allowed": [405, "The resource has no such method"],
  conflict: [409, "It is in conflict with what is there"],
  exhausted: [409, "Nothing is left to give"],
  "revision-gone": [410, "The changes since that revision are not known any more"],
  "too-large": [413, "The body is too large"],
  "unsupported-media-type": [415, "Only application/json is taken"],
  invalid: [422, "The values are wrong"],
  "idempotency-conflict": [422, "The Idempotency-Key was used for another request"],
  internal: [500, "The server failed"],
  unavailable: [503, "It cannot be done now"],
  "not-ready": [503, "The daemon does not serve yet"],
} as const satisfies Record<string, readonly [status: number, title: string]>;

/** ProblemCode is what programs may rely on; texts may change. */
export type ProblemCode = keyof typeof CATALOGUE;

export const PROBLEM_CODES = Object.keys(CATALOGUE) as readonly ProblemCode[];

/** Problem is an error as RFC 9457 writes it, with a stable `code` beside the `type`. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  /** What was wrong this time, for a person. Never a stack, never a secret. */
  readonly detail: string;
  /** What is wrong with each field of a body, by JSON pointer (RFC 6901). */
  readonly errors?: readonly FieldError[];
}

/** FieldError is what is wrong with one field. */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

/** Refused is thrown by what checks a request, and becomes its answer. */
export class Refused extends Error {
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ProblemCode,
    detail: string,
    headers: Readonly<Record<string, string>> = {},
    errors: readonly FieldError[] = [],
  ) {
    super(detail);
    this.name = "Refused";
    this.problem = { ...problemOf(code, detail), ...(errors.length === 0 ? {} : { errors }) };
    this.headers = headers;
  }
}

/** statusOf is the HTTP status of a code, and what the code means. */
export function statusOf(code: ProblemCode): readonly [status: number, title: string] {
  return CATALOGUE[code];
}

/** problemOf makes a problem of the catalogue's; its detail is cut to what a line of a log can bear. */
export function problemOf(code: ProblemCode, detail: string): Problem {
  const [status, title] = CATALOGUE[code];
  return { type: `urn:meridian:problem:${code}`, title, status, code, detail: detail.slice(0, 1000) };
}

/** sendProblem answers with a problem. */
export function sendProblem(
  response: ServerResponse,
  problem: Problem,
  headers: Readonly<Record<string, string>> = {},
): void {
  sendText(response, problem.status, "application/problem+json", JSON.stringify(problem), headers);
}
