import { describe, expect, test } from "vitest";
import { z } from "zod";
import { checkBody, checkQuery, find } from "./check-request.ts";
import { OPERATIONS } from "./operations.ts";
import { Refused } from "./problem.ts";

function refused(act: () => unknown): Refused {
  try {
    act();
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
  throw new Error("was not refused");
}

describe("find()", () => {
  test.each([
    ["GET", "/v1/clusters", "listClusters", {}],
    ["HEAD", "/v1/clusters", "listClusters", {}],
    ["DELETE", "/v1/clusters/amber", "evictCluster", { id: "amber" }],
    ["DELETE", "/v1/invites/a%2Fb%20c", "revokeInvite", { id: "a/b c" }],
    ["GET", "/v1/openapi.json", "getOpenapi", {}],
  ])("%s %s is %s", (method, path, id, params) => {
    const found = find(OPERATIONS, method, path);
    expect([found.operation.id, found.params]).toEqual([id, params]);
  });

  test.each([
    "/",
    "/v1",
    "/v1/",
    "/v1/clusters/",
    "/v1/clusters/a/b",
    "/V1/clusters",
    "/v1//clusters",
    "/v1/clusters/../audit",
    "/v1/%63lusters",
  ])("%s is nothing", (path) => expect(refused(() => find(OPERATIONS, "GET", path)).problem.code).toBe("not-found"));

  test("names all methods of a path", () => {
    expect(refused(() => find(OPERATIONS, "PUT", "/v1/invites")).headers).toEqual({ allow: "GET, HEAD, POST" });
  });
});

describe("checkBody() and checkQuery()", () => {
  const schema = z.strictObject({ "a/b~c": z.object({ d: z.array(z.int()) }), e: z.string().min(3).regex(/^x/) });

  test("say every wrong field once, by JSON pointer", () => {
    const { problem } = refused(() => checkBody(schema, { "a/b~c": { d: [1, "x"] }, e: "" }));
    expect(problem).toMatchObject({ code: "invalid", status: 422 });
    expect(problem.errors?.map(({ pointer }) => pointer)).toEqual(["/a~1b~0c/d/1", "/e"]);
  });

  test("list no more than a reader can take", () => {
    const many = z.object(Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`f${n}`, z.string()])));
    const { problem } = refused(() => checkBody(many, {}));
    expect(problem.errors).toHaveLength(20);
    expect(problem.detail.length).toBeLessThanOrEqual(1000);
  });

  test("do not repeat what was given", () => {
    expect(JSON.stringify(refused(() => checkBody(schema, { e: "my-secret" })).problem)).not.toContain("my-secret");
    expect(refused(() => checkQuery(schema, { e: "my-secret" })).problem).toMatchObject({ status: 400 });
  });
});
