import { describe, expect, test } from "vitest";
import { z } from "zod";
import { aDesk } from "./fake-desk.ts";
import { openapiOf } from "./openapi.ts";
import { OPERATIONS } from "./operations.ts";
import { type Api, type Ask, startApi } from "./testbed.ts";

/** The API is called here as its own document describes it: nothing about paths, parameters, fields or answers is
 *  written down a second time, only which values are known to exist. */

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly examples?: readonly unknown[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly Schema[];
}

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly schema: Schema;
}

interface Described {
  readonly operationId: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: { readonly "application/json": { readonly schema: Schema } } };
  readonly responses: Readonly<Record<string, { readonly content: Readonly<Record<string, { schema: Schema }>> }>>;
}

interface Line extends Described {
  readonly method: string;
  readonly path: string;
}

const document = openapiOf(OPERATIONS, "1.2.3") as unknown as {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
};
const lines: readonly Line[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, of]): Line => ({ ...of, method: method.toUpperCase(), path })),
);
const json = lines.filter(({ responses }) =>
  Object.values(responses).some(({ content }) => "application/json" in content),
);
const named = (some: readonly Line[]): readonly [string, Line][] =>
  some.map((line) => [`${line.method} ${line.path}`, line]);
const withBody = lines.filter(({ requestBody }) => requestBody !== undefined);
const lists = json.filter(({ parameters }) => parameters.some(({ name }) => name === "continue"));

function sample(schema: Schema): unknown {
  if (schema.examples?.[0] !== undefined) return schema.examples[0];
  if (schema.default !== undefined) return schema.default;
  if (schema.enum?.[0] !== undefined) return schema.enum[0];
  if (schema.anyOf?.[0] !== undefined) return sample(schema.anyOf[0]);
  if (schema.type === "integer" || schema.type === "number") return schema.minimum ?? 1;
  return "x";
}

function bodySchema({ requestBody }: Line): Schema {
  return requestBody?.content["application/json"].schema ?? {};
}

/** asDescribed fills in every path parameter and every field of the body. */
function asDescribed(line: Line): Ask {
  const path = line.parameters
    .filter((of) => of.in === "path")
    .reduce((text, { name, schema }) => text.replace(`{${name}}`, String(sample(schema))), line.path);
  const fields = Object.entries(bodySchema(line).properties ?? {}).map(([name, schema]) => [name, sample(schema)]);
  return { method: line.method, path, ...(line.requestBody === undefined ? {} : { body: Object.fromEntries(fields) }) };
}

async function onApi<T>(act: (api: Api) => Promise<T>): Promise<T> {
  await using api = await startApi();
  return await act(api);
}

async function refusedAs(line: Line, ask: Ask, status: number, code: string): Promise<void> {
  await onApi(async (api) => {
    const before = JSON.stringify([api.desk.reserved, api.desk.made, [...api.desk.members]]);
    const answer = await api.ask(ask);
    expect({ status: answer.status, code: answer.json["code"] }).toEqual({ status, code });
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(answer.json).toMatchObject({ type: `urn:meridian:problem:${code}`, status });
    expect(answer.text).not.toMatch(/node_modules|\.ts:|\bat \w+ \(/);
    expect(JSON.stringify([api.desk.reserved, api.desk.made, [...api.desk.members]])).toBe(before);
    if (status !== 405) expect(Object.keys(line.responses)).toContain(String(status));
  });
}

describe("openapiOf()", () => {
  test("writes OpenAPI 3.1 with one operation for each line of the table", () => {
    expect(document.openapi).toBe("3.1.0");
    expect(lines.map(({ operationId }) => operationId)).toEqual(OPERATIONS.map(({ id }) => id));
    expect(new Set(OPERATIONS.map(({ id }) => id)).size).toBe(OPERATIONS.length);
  });

  test("describes exactly the public surface", () => {
    expect(lines.map(({ method, path }) => `${method} ${path}`).sort()).toEqual([
      "DELETE /v1/clusters/{id}",
      "DELETE /v1/invites/{id}",
      "GET /v1/allocations",
      "GET /v1/audit",
      "GET /v1/clusters",
      "GET /v1/clusters/{id}",
      "GET /v1/invites",
      "GET /v1/latency",
      "GET /v1/openapi.json",
      "GET /v1/records",
      "GET /v1/watch",
      "POST /v1/allocations",
      "POST /v1/invites",
    ]);
  });

  test("describes every parameter of a path and no other", () => {
    for (const { path, parameters } of lines) {
      const inPath = parameters.filter((of) => of.in === "path").map(({ name }) => `{${name}}`);
      expect(path.match(/\{\w+\}/g) ?? []).toEqual(inPath);
    }
  });

  test("offers an Idempotency-Key for each change and for nothing else", () => {
    for (const { method, parameters } of lines) {
      expect(parameters.some(({ name }) => name === "Idempotency-Key")).toBe(method !== "GET");
    }
  });

  test("is served at /v1/openapi.json", async () => {
    expect((await onApi((api) => api.ask({ path: "/v1/openapi.json" }))).json).toEqual(document);
  });
});

describe("every operation", () => {
  test.each(named(json))("%s answers what its schema says", async (_, line) => {
    const answer = await onApi((api) => api.ask(asDescribed(line)));
    const [status = "", { content } = { content: {} }] =
      Object.entries(line.responses).find(([code]) => code.startsWith("2")) ?? [];
    expect([answer.status, answer.text]).toEqual([Number(status), answer.text]);
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(Number(answer.headers["meridian-revision"])).toBeGreaterThan(0);
    const schema = z.fromJSONSchema(content["application/json"]?.schema as never);
    expect(schema.safeParse(answer.json).error).toBeUndefined();
    if ("revision" in answer.json) expect(answer.json["revision"]).toBe(Number(answer.headers["meridian-revision"]));
  });

  test.each(named(lines))("%s is refused without, and with a wrong, token", async (_, line) => {
    await refusedAs(line, { ...asDescribed(line), token: null }, 401, "unauthorized");
    await refusedAs(line, { ...asDescribed(line), token: "wrong" }, 401, "unauthorized");
    await refusedAs(line, { ...asDescribed(line), token: "" }, 401, "unauthorized");
  });

  test.each(named(lines))("%s is refused for another host or origin", async (_, line) => {
    const from = (headers: Record<string, string>): Ask => ({ ...asDescribed(line), headers });
    await refusedAs(line, from({ host: "evil.example" }), 403, "foreign-host");
    await refusedAs(line, from({ origin: "http://evil.example" }), 403, "foreign-origin");
    await refusedAs(line, from({ origin: "null" }), 403, "foreign-origin");
    await refusedAs(line, from({ "sec-fetch-site": "cross-site" }), 403, "foreign-origin");
  });

  test.each(named(lines))("%s is refused with an unknown or a doubled parameter", async (_, line) => {
    const ask = asDescribed(line);
    await refusedAs(line, { ...ask, path: `${ask.path}?surprise=1` }, 400, "bad-request");
    await refusedAs(line, { ...ask, path: `${ask.path}?__proto__=1` }, 400, "bad-request");
    await refusedAs(line, { ...ask, path: `${ask.path}?limit=1&limit=2` }, 400, "bad-request");
  });

  test.each(named(lines))("%s: its path names its methods to any other", async (_, line) => {
    const ask = asDescribed(line);
    for (const method of ["PUT", "PATCH", "OPTIONS"]) {
      await refusedAs(line, { ...ask, method }, 405, "method-not-allowed");
      const { headers } = await onApi((api) => api.ask({ ...ask, method }));
      expect(headers.allow?.split(", ")).toContain(line.method);
    }
  });

  test.each(named(lines.filter(({ requestBody }) => requestBody === undefined)))(
    "%s takes no body",
    async (_, line) => {
      await refusedAs(line, { ...asDescribed(line), body: { a: 1 } }, 400, "bad-request");
    },
  );
});

describe("every operation with a body", () => {
  test.each(named(withBody))("%s refuses other types, sizes and syntax", async (_, line) => {
    const ask = asDescribed(line);
    const type = (value: string): Ask => ({ ...ask, headers: { "content-type": value } });
    await refusedAs(line, type("text/plain"), 415, "unsupported-media-type");
    await refusedAs(line, type("application/x-www-form-urlencoded"), 415, "unsupported-media-type");
    await refusedAs(line, { ...ask, headers: { "content-encoding": "gzip" } }, 415, "unsupported-media-type");
    await refusedAs(line, { ...ask, body: JSON.stringify({ note: "x".repeat(70_000) }) }, 413, "too-large");
    for (const body of ["{", "nonsense", '{"a":1}{"b":2}', "[".repeat(20_000), '{"__proto__":{"uses":5}}']) {
      await refusedAs(line, { ...ask, body }, 400, "bad-request");
    }
  });

  test.each(named(withBody))("%s refuses what is not an object, and a field that it does not know", async (_, line) => {
    const ask = asDescribed(line);
    for (const body of ["null", "[]", '"text"', "7"]) await refusedAs(line, { ...ask, body }, 422, "invalid");
    const more = { ...(ask.body as object), surprise: 1 };
    await refusedAs(line, { ...ask, body: more }, 422, "invalid");
    const inherited = { ...(ask.body as object), constructor: { prototype: { polluted: true } } };
    await refusedAs(line, { ...ask, body: inherited }, 422, "invalid");
    expect("polluted" in {}).toBe(false);
  });

  const fields = withBody.flatMap((line) =>
    Object.entries(bodySchema(line).properties ?? {}).map(([field, schema]) => [line, field, schema] as const),
  );
  test.each(fields.map(([line, field, schema]) => [`${line.method} ${line.path}`, field, line, schema] as const))(
    "%s refuses a wrong %s and says where it is",
    async (_, field, line, schema) => {
      const ask = asDescribed(line);
      const wrong = [
        {},
        [],
        true,
        "",
        "x".repeat(5000),
        -1,
        Number.POSITIVE_INFINITY,
        Number.MAX_SAFE_INTEGER,
        "\u0000",
      ];
      if (schema.maximum !== undefined) wrong.push(schema.maximum + 1);
      const takesText = schema.type === "string" && schema.maxLength !== undefined && !("pattern" in schema);
      for (const value of wrong.filter((of) => !(takesText && of === "\u0000"))) {
        const body = { ...(ask.body as object), [field]: value };
        if (value === Number.POSITIVE_INFINITY && schema.anyOf !== undefined) continue; // JSON has no infinity: it arrives as null
        await refusedAs(line, { ...ask, body }, 422, "invalid");
        const { json: problem } = await onApi((api) => api.ask({ ...ask, body }));
        expect(problem["errors"]).toMatchObject([{ pointer: `/${field}` }]);
      }
      if (bodySchema(line).required?.includes(field)) {
        const { [field]: _without, ...rest } = ask.body as Record<string, unknown>;
        await refusedAs(line, { ...ask, body: rest }, 422, "invalid");
      }
    },
  );
});

describe("every list", () => {
  test.each(named(lists))("%s refuses a wrong limit or continue", async (_, line) => {
    const ask = asDescribed(line);
    for (const limit of ["0", "1001", "-1", "1.5", "ten", "", "1e2", "0x10", "%201"]) {
      await refusedAs(line, { ...ask, path: `${ask.path}?limit=${limit}` }, 400, "bad-request");
    }
    for (const text of [
      "",
      "x",
      "!!!",
      Buffer.from('["other",1]').toString("base64url"),
      Buffer.from("[{}]").toString("base64url"),
    ]) {
      await refusedAs(line, { ...ask, path: `${ask.path}?continue=${text}` }, 400, "bad-request");
    }
  });

  test.each(named(lists))("%s gives the same items page by page as at once", async (_, line) => {
    await using api = await startApi({ desk: aDesk() });
    await api.ask({ method: "POST", path: "/v1/invites", body: {} });
    const { path } = asDescribed(line);
    const all = (await api.ask({ path })).json["items"] as readonly unknown[];
    expect(all.length).toBeGreaterThan(1);
    const pages: unknown[] = [];
    let next: unknown = null;
    do {
      const more: string = next === null ? "" : `&continue=${String(next)}`;
      const page = await api.ask({ path: `${path}?limit=1${more}` });
      expect(page.json["items"]).toHaveLength(1);
      pages.push(...(page.json["items"] as readonly unknown[]));
      next = page.json["continue"];
    } while (next !== null);
    expect(pages).toEqual(all);
  });
});
