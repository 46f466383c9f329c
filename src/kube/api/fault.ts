/** ApiFault is why the API server did not do what it was asked: its own answer (a Status, meta/v1), or no answer. */
export interface ApiFault {
  /** HTTP status; 0 where there was no answer. */
  readonly code: number;
  /** Machine-readable: `NotFound`, `Conflict`, `Expired`, `Forbidden`…, or `Unreachable`. */
  readonly reason: string;
  readonly message: string;
  /** How long the server asks to be left alone, in milliseconds; null where it does not say. */
  readonly retryAfterMs: number | null;
}

/** unreachable is the fault of a request that got no answer. */
export function unreachable(error: unknown): ApiFault {
  const message = error instanceof Error ? error.message : String(error);
  return { code: 0, reason: "Unreachable", message, retryAfterMs: null };
}

const REASONS: Readonly<Record<number, string>> = {
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  409: "Conflict",
  410: "Expired",
  422: "Invalid",
  429: "TooManyRequests",
  504: "Timeout",
};

/** faultOf reads a failed answer. What stands before an API server (a proxy, a load balancer) answers in other forms:
 *  the code then says what is wrong. */
export function faultOf(code: number, body: string, retryAfter: string | undefined): ApiFault {
  const status = statusOf(body);
  const asked = Number(retryAfter ?? status.retryAfterSeconds ?? Number.NaN);
  return {
    code,
    reason: status.reason ?? REASONS[code] ?? "InternalError",
    message: status.message ?? (body.trim().slice(0, 200) || `HTTP ${code}`),
    retryAfterMs: Number.isFinite(asked) && asked >= 0 ? asked * 1000 : null,
  };
}

/** statusFault reads a Status that came as an object, as a watch's ERROR event carries one. */
export function statusFault(status: unknown): ApiFault {
  const { code, reason, message, retryAfterSeconds } = fieldsOf(status);
  return {
    code: code ?? 500,
    reason: reason ?? REASONS[code ?? 500] ?? "InternalError",
    message: message ?? "the watch ended with an error",
    retryAfterMs: retryAfterSeconds === undefined ? null : retryAfterSeconds * 1000,
  };
}

interface StatusFields {
  readonly code?: number | undefined;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
}

function statusOf(body: string): StatusFields {
  try {
    return fieldsOf(JSON.parse(body));
  } catch {
    return {};
  }
}

function fieldsOf(status: unknown): StatusFields {
  const { code, reason, message, details } = (status ?? {}) as Readonly<Record<string, unknown>>;
  const seconds = ((details ?? {}) as Readonly<Record<string, unknown>>)["retryAfterSeconds"];
  return {
    code: typeof code === "number" ? code : undefined,
    reason: typeof reason === "string" && reason !== "" ? reason : undefined,
    message: typeof message === "string" && message !== "" ? message : undefined,
    retryAfterSeconds: typeof seconds === "number" ? seconds : undefined,
  };
}
