import { describe, expect, test } from "vitest";
import { backend, wantedImport } from "./example-import.ts";
import { importObject, serviceObject } from "./import-object.ts";
import { packSlices } from "./pack-slices.ts";
import { isOurs, projectImport, projectService, projectSlice, projectStatus } from "./projection.ts";

const { imported } = wantedImport([backend("242.1.0.5")]);

describe("what the API server adds is no difference", () => {
  test("to a Service", () => {
    const ours = serviceObject(imported, null);
    const theirs = {
      ...ours,
      metadata: { ...ours.metadata, labels: { ...ours.metadata.labels, team: "x" }, uid: "u", resourceVersion: "9" },
      spec: {
        ...(ours["spec"] as object),
        clusterIP: "10.96.0.9",
        clusterIPs: ["10.96.0.9"],
        ipFamilyPolicy: "SingleStack",
        internalTrafficPolicy: "Cluster",
        ports: [{ name: "http", protocol: "TCP", port: 80, targetPort: 80 }],
      },
    };
    expect(projectService(theirs)).toBe(projectService(ours));
    expect(isOurs(theirs)).toBe(true);
  });

  test("to an import: labels that others own", () => {
    const ours = importObject(imported, [], true);
    const entry = {
      manager: "meridian.io",
      operation: "Apply",
      fieldsV1: { "f:metadata": { "f:labels": { "f:app.kubernetes.io/managed-by": {} } } },
    };
    const labels = { ...ours.metadata.labels, team: "x" };
    const theirs = { ...ours, metadata: { ...ours.metadata, labels, managedFields: [entry] } };
    expect(projectImport(theirs)).toBe(projectImport(ours));
  });
});

describe("what somebody changed of ours is one", () => {
  test("a port of a Service", () => {
    const ours = serviceObject(imported, null);
    const theirs = { ...ours, spec: { ...(ours["spec"] as object), ports: [{ name: "http", port: 81 }] } };
    expect(projectService(theirs)).not.toBe(projectService(ours));
  });

  test("a label that we own and that is gone, or that we no longer want", () => {
    const ours = importObject({ ...imported, labels: { tier: "a" } }, [], true);
    const owned = { "f:tier": {}, "f:app.kubernetes.io/managed-by": {} };
    const entry = { manager: "meridian.io", operation: "Apply", fieldsV1: { "f:metadata": { "f:labels": owned } } };
    const with2 = { ...ours, metadata: { ...ours.metadata, managedFields: [entry] } };
    expect(projectImport(with2)).toBe(projectImport(ours));
    expect(projectImport(with2)).not.toBe(projectImport(importObject(imported, [], true)));
  });

  test("an endpoint's readiness", () => {
    const [slice] = packSlices(wantedImport([backend("242.1.0.5")]), [], null);
    const endpoints = [{ addresses: ["242.1.0.5"], conditions: { ready: false } }];
    expect(projectSlice({ ...slice, endpoints })).not.toBe(projectSlice(slice));
  });
});

test("conditions are compared without their time, and others' are not seen", () => {
  const ready = { type: "Ready", status: "True", reason: "Ready", message: "m" };
  const a = { status: { conditions: [{ ...ready, lastTransitionTime: "2026-01-01T00:00:00Z" }, { type: "Other" }] } };
  const b = { status: { conditions: [{ ...ready, lastTransitionTime: "2026-02-01T00:00:00Z" }] } };
  expect(projectStatus(a, ["Ready"])).toBe(projectStatus(b, ["Ready"]));
  expect(projectStatus(a, ["Ready", "Valid"])).not.toBe(projectStatus({ ...b, status: {} }, ["Ready", "Valid"]));
});
