import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expect as must } from "#values";
import { type Loopback, raiseLoopback } from "./loopback.ts";
import { page, tables } from "./pages.ts";

interface Described {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components: {
    readonly schemas: { readonly Problem: { readonly properties: { readonly code: { readonly enum: string[] } } } };
  };
}

const documented = tables(page("docs/admin-api.md").text);

describe("docs/admin-api.md", () => {
  let scene: Loopback;
  let api: Described;

  beforeAll(async () => {
    scene = await raiseLoopback({});
    const ask = 'curl -sS -H "Authorization: Bearer $(cat /var/lib/meridian-broker/admin.token)"';
    api = JSON.parse(must(await scene.say(`${ask} http://127.0.0.1:7480/v1/openapi.json`))) as Described;
  }, 60_000);
  afterAll(() => scene?.[Symbol.asyncDispose]());

  test("has every operation that the broker describes, and no other", () => {
    const [rows = []] = documented.get("Operations") ?? [];
    const inCode = Object.entries(api.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(rows.map((row) => `${row["method"]} ${row["path"]}`).sort()).toEqual(inCode.sort());
  });

  test("has every code of a problem", () => {
    const [rows = []] = documented.get("When it refuses") ?? [];
    expect(rows.map((row) => row["code"])).toEqual(api.components.schemas.Problem.properties.code.enum);
  });

  test("says the truth about paths without a token", async () => {
    for (const path of ["/healthz", "/readyz", "/metrics"]) {
      expect((await scene.say(`curl -sS -f -o /dev/null http://127.0.0.1:7480${path}`)).ok).toBe(true);
    }
    expect((await scene.say("curl -sS -f http://127.0.0.1:7480/v1/clusters")).ok).toBe(false);
  });
});
