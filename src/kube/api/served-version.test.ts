import { expect, test } from "vitest";
import { inVersion, servedVersion } from "./served-version.ts";

const group = (...versions: readonly string[]): object => ({ versions: versions.map((version) => ({ version })) });

test.each([
  [["v1beta1", "v1alpha1"], "v1beta1"],
  [["v1beta1"], "v1beta1"],
  [["v1alpha1"], "v1alpha1"],
  [["v2"], "v1beta1"],
  [[], "v1beta1"],
] as const)("servedVersion() of %j is %s", (versions, chosen) => {
  expect(servedVersion(group(...versions))).toBe(chosen);
});

test("servedVersion() of what is no group is the newest", () => {
  expect([null, 7, {}, { versions: [null] }].map(servedVersion)).toEqual(Array(4).fill("v1beta1"));
});

test("inVersion() changes path and body of what is about the group, and nothing else", () => {
  const path = "/apis/multicluster.x-k8s.io/v1beta1/namespaces/shop/serviceimports/web/status";
  const body = { apiVersion: "multicluster.x-k8s.io/v1beta1", kind: "ServiceImport", spec: {} };
  expect(inVersion({ method: "PATCH", path, body }, "v1alpha1")).toEqual({
    method: "PATCH",
    path: "/apis/multicluster.x-k8s.io/v1alpha1/namespaces/shop/serviceimports/web/status",
    body: { ...body, apiVersion: "multicluster.x-k8s.io/v1alpha1" },
  });
  const options = { method: "DELETE", path, body: { apiVersion: "v1", kind: "DeleteOptions" } } as const;
  expect(inVersion(options, "v1alpha1").body).toEqual(options.body);
  const other = { path: "/api/v1/services", body };
  expect(inVersion(other, "v1alpha1")).toBe(other);
  expect(inVersion({ path, body }, "v1beta1")).toEqual({ path, body });
});
