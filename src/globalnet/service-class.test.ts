import { describe, expect, test } from "vitest";
import type { Ip } from "#values";
import { CLASSES, place, sizeOf } from "./service-class.ts";
import type { ServiceEntry } from "./service-entry.ts";

function entry(weights: readonly number[], affinity: ServiceEntry["affinity"] = "none"): ServiceEntry {
  const backends = weights.map((weight, i) => ({ address: `242.2.${i >> 8}.${i & 255}` as Ip, port: 8080, weight }));
  return { address: "242.192.0.1" as Ip, protocol: "TCP", port: 80, affinity, backends };
}

function equal(n: number): readonly number[] {
  return Array.from({ length: n }, () => 7);
}

describe("place()", () => {
  test("has no place for an entry that nothing answers for", () => {
    expect(place(entry([]))).toBeUndefined();
    expect(place(entry([0]))).toBeUndefined();
    expect(place(entry([0, 0]))).toBeUndefined();
  });

  test.each([1, 2, 3, 16])("gives %i endpoints of equal weight one bucket each", (n) => {
    const placed = place(entry(equal(n)));
    expect(placed?.chain).toBe(`r${n}`);
    expect(new Set(placed?.buckets).size).toBe(n);
  });

  test("takes 1,024 buckets for more than 16 that 128 would share unevenly", () => {
    expect(place(entry(equal(17)))?.chain).toBe("r1024");
    expect(place(entry(equal(32)))?.chain).toBe("r128");
  });

  test("takes 128 buckets for weights they can tell apart, else 1,024", () => {
    expect(place(entry([50, 30, 20]))?.chain).toBe("r128");
    expect(place(entry([98, 2]))?.chain).toBe("r1024");
  });

  test("draws by the source's hash for affinity, unless there is one endpoint", () => {
    expect(place(entry([1, 1], "client"))?.chain).toBe("h128");
    expect(place(entry([98, 2], "client"))?.chain).toBe("h1024");
    expect(place(entry([1], "client"))?.chain).toBe("r1");
    expect(place(entry([1, 0], "client"))?.chain).toBe("r1");
  });

  test("counts an endpoint that is named twice once, with both weights", () => {
    const one = entry([1]);
    const [backend] = one.backends;
    if (backend === undefined) throw new Error("no backend");
    expect(place({ ...one, backends: [backend, backend] })).toEqual({ chain: "r1", buckets: ["242.2.0.0 . 8080"] });
  });

  test("keeps the heaviest 1,024 of more endpoints", () => {
    const placed = place(entry(Array.from({ length: 1100 }, (_, i) => i + 1)));
    expect(placed?.buckets).toHaveLength(1024);
    expect(placed?.buckets).not.toContain("242.2.0.0 . 8080");
  });

  test("keeps buckets where they were, whatever the class was", () => {
    const before = place(entry(equal(2), "client"))?.buckets ?? [];
    const after = place(entry(equal(3), "client"), before)?.buckets ?? [];
    const stayed = before.filter((endpoint, i) => endpoint === after[i]).length;
    expect(stayed).toBe(86);
  });
});

test("CLASSES names every class a placement can have, each with a size", () => {
  expect(CLASSES).toHaveLength(20);
  expect(CLASSES.map(sizeOf).every((n) => n >= 1 && n <= 1024)).toBe(true);
});
