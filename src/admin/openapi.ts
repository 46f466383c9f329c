import { z } from "zod";
import type { Operation } from "./operation.ts";
import { PROBLEM_CODES, type ProblemCode, statusOf } from "./problem.ts";

type Json = Record<string, unknown>;

/** What any request may be answered. */
const ANY: readonly ProblemCode[] = [
  "bad-request",
  "unauthorized",
  "forbidden",
  "foreign-host",
  "foreign-origin",
  "internal",
];
/** What any change may be answered besides. */
const CHANGE: readonly ProblemCode[] = ["idempotency-conflict"];
/** What any request with a body may be answered besides. */
const BODY: readonly ProblemCode[] = ["too-large", "unsupported-media-type", "invalid"];

/** RFC 9457, and two fields of ours: `code`, and `errors` for the fields of a body. */
const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.enum(PROBLEM_CODES),
  detail: z.string(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
});

/** draft-ietf-httpapi-idempotency-key-header, without its quotes. */
const IDEMPOTENCY_KEY: Json = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description: "Makes a retry safe: the same key with the same request has the same answer, for a day",
  schema: { type: "string", pattern: "^[!-~]{1,200}$" },
};

const REVISION_HEADER: Json = {
  "Meridian-Revision": { description: "The revision that the answer shows", schema: { type: "integer" } },
};

/** openapiOf writes the table as an OpenAPI 3.1 document. */
export function openapiOf(operations: readonly Operation[], version: string): { openapi: string } & Json {
  const paths: Record<string, Json> = {};
  for (const operation of operations) {
    const path = paths[operation.path] ?? {};
    path[operation.method.toLowerCase()] = operationOf(operation);
    paths[operation.path] = path;
  }
  return {
    openapi: "3.1.0",
    info: { title: "Meridian broker", version, description: "The broker's registry, for its operators." },
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
      schemas: { Problem: schemaOf(problemSchema, "output") },
    },
  };
}

/** `x-role` is the role that the caller needs. */
function operationOf(operation: Operation): Json {
  const { id, summary, params, query, body, handler, role } = operation;
  const parameters = [...parametersOf(params, "path"), ...parametersOf(query, "query")];
  if (handler.kind === "change") parameters.push(IDEMPOTENCY_KEY);
  return {
    operationId: id,
    summary,
    "x-role": role,
    parameters,
    ...(body === null
      ? {}
      : { requestBody: { required: true, content: { "application/json": { schema: schemaOf(body, "input") } } } }),
    responses: responsesOf(operation),
  };
}

/** Each property of a schema is a parameter of its own, required if the schema says so. */
function parametersOf(schema: z.ZodObject, where: "path" | "query"): Json[] {
  const { properties = {}, required = [] } = schemaOf(schema, "input") as {
    properties?: Record<string, Json>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, property]) => {
    return { name, in: where, required: required.includes(name), schema: property };
  });
}

/** One response for what is done, and one for each status of a refusal, with all codes that may come with it. */
function responsesOf({ status, answer, handler, problems, body }: Operation): Json {
  const type = handler.kind === "events" ? "text/event-stream" : "application/json";
  const content = { [type]: { schema: schemaOf(answer, "output") } };
  const own = [...ANY, ...problems, ...(handler.kind === "change" ? CHANGE : []), ...(body === null ? [] : BODY)];
  const byStatus = Map.groupBy(own, (code) => statusOf(code)[0]);
  const refusals = [...byStatus].map(([of, codes]) => [
    String(of),
    {
      description: codes.map((code) => `${code}: ${statusOf(code)[1]}`).join("; "),
      content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
    },
  ]);
  return { [status]: { description: "Done", headers: REVISION_HEADER, content }, ...Object.fromEntries(refusals) };
}

/** An `input` schema is what may be sent, an `output` schema what will be answered. */
function schemaOf(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io }) as Json;
  return rest;
}
