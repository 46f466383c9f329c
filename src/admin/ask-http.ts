import type { IncomingMessage, RequestOptions } from "node:http";
import { request as tlsRequest } from "node:https";
import { httpRequest as plainRequest } from "#life";
import { err, ok, type Result } from "#values";

/** AskFault is why a question got no answer.
 *  - `not-running`: nobody listens there
 *  - `refused`: whoever listens says that the question is wrong or not allowed
 *  - `failed`: it could not be carried out, or the answer did not arrive whole */
export interface AskFault {
  readonly code: "not-running" | "refused" | "failed";
  readonly message: string;
}

/** HttpAsk is one request to one place, TLS or not. */
export interface HttpAsk {
  readonly tls: boolean;
  readonly options: RequestOptions;
  readonly body: unknown;
  readonly signal: AbortSignal;
  /** How messages name the other end. */
  readonly where: string;
}

/** Largest answer that is read, in bytes. */
const MAX_ANSWER = 256 << 20;

/** askHttp sends one request and hands its answer to `read`. Rejects only when the signal aborts. */
export function askHttp(
  { tls, options, body, signal, where }: HttpAsk,
  read: (response: IncomingMessage) => Promise<Result<unknown, AskFault>>,
): Promise<Result<unknown, AskFault>> {
  const text = body === undefined ? null : JSON.stringify(body);
  const headers =
    text === null ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
  return new Promise((resolve, reject) => {
    const lost = (error: NodeJS.ErrnoException): void => {
      if (signal.aborted) reject(signal.reason);
      else resolve(err(transportFault(error, where)));
    };
    const call = (tls ? tlsRequest : plainRequest)(
      { ...options, headers: { ...options.headers, ...headers }, agent: false, signal },
      (response) => read(response).then(resolve, lost),
    );
    call.on("error", lost);
    call.end(text ?? undefined);
  });
}

/** readAll is a whole body as text. */
export async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER) throw new Error(`the answer has more than ${MAX_ANSWER} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** readAnswer reads a JSON answer, or the problem that came instead of one. */
export async function readAnswer(response: IncomingMessage): Promise<Result<unknown, AskFault>> {
  const status = response.statusCode ?? 0;
  const value = parse(await readAll(response));
  if (status >= 200 && status < 300) {
    return value === undefined ? err({ code: "failed", message: "the answer is not JSON" }) : ok(value);
  }
  const { title = `HTTP status ${status}`, detail } = (value ?? {}) as { title?: string; detail?: string };
  const message = detail === undefined ? title : `${title}: ${detail}`;
  return err({ code: status >= 400 && status < 500 ? "refused" : "failed", message });
}

/** Undefined where the text is not JSON: a proxy in between answers HTML. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** What the system says when nobody listens: no such path, nobody at the port, a file that is no socket. */
const ABSENT: readonly string[] = ["ENOENT", "ECONNREFUSED", "ENOTSOCK"];

/** transportFault words what the system said, by the code that a caller can act on. */
function transportFault({ code = "", message }: NodeJS.ErrnoException, where: string): AskFault {
  if (ABSENT.includes(code)) return { code: "not-running", message: `nothing answers at ${where}` };
  if (code === "EACCES" || code === "EPERM") {
    return { code: "refused", message: `${where} may only be opened by the user of the daemon` };
  }
  return { code: "failed", message: `${where}: ${message}` };
}
