import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exportBody } from "./bodies.ts";
import { isPlainExport } from "./plain-export.ts";

const plain = {
  namespace: "shop",
  name: "web",
  type: "ClusterSetIP",
  createdAt: 1_700_000_000_000,
  ports: [{ name: "http", protocol: "TCP", port: 80, appProtocol: "http" }],
  sessionAffinity: "None",
  sessionAffinitySeconds: null,
  internalTrafficPolicy: "Cluster",
  ipFamilies: ["IPv4"],
  labels: { app: "web" },
  annotations: {},
  slices: [
    {
      ports: [{ name: "http", protocol: "TCP", port: 8080 }],
      endpoints: [{ address: "242.1.0.9", hostname: "web-0", node: "n1.example" }, { address: "242.1.0.10" }],
    },
  ],
};

/** Values that fields get in place of what they had: right ones, wrong ones and ones at their bounds. */
const VALUES: readonly unknown[] = [
  ...[null, undefined, true, 0, -1, 1.5, 65_535, 65_536, 2 ** 53 - 1, 2 ** 53, "", "web", "Web", "-a", "a.b", "TCP"],
  ...["x".repeat(63), "x".repeat(64), "x".repeat(65), "x".repeat(253), "x".repeat(254), "Headless", "ClientIP"],
  ...["242.1.0.1", "242.1.0.256", "01.2.3.4", "FD00::1", "fd00::1", "::ffff:1.2.3.4", "IPv6", [], {}, [null]],
  ...[
    ["IPv4", "IPv6"],
    ["IPv4", "IPv4", "IPv4"],
    { a: "b" },
    { a: 1 },
    { a: "x".repeat(64) },
    { ["x".repeat(318)]: "" },
  ],
  ...[Array(101).fill(plain.ports[0]), Array(1001).fill(plain.slices[0]), [{ ports: [], endpoints: [], more: 1 }]],
];
const values = fc.oneof(fc.constantFrom(...VALUES), fc.jsonValue({ maxDepth: 2 }));

/** Every path in a value, as mutations take it. */
function* paths(value: unknown, path: readonly number[] = []): Generator<readonly number[]> {
  if (path.length > 0) yield path;
  if (typeof value !== "object" || value === null) return;
  const items = Object.values(value);
  for (let at = 0; at <= items.length; at += 1) yield* paths(items[at], [...path, at]);
}

/** A path into the body: each number picks a field or an item, and so on down. */
const mutations = fc.array(fc.tuple(fc.array(fc.nat(20), { minLength: 1, maxLength: 6 }), values), { maxLength: 3 });

function mutated(path: readonly number[], value: unknown, into: unknown): unknown {
  const [at = 0, ...rest] = path;
  if (typeof into !== "object" || into === null) return value;
  const names = [...Object.keys(into), "unknown"];
  const name = names[at % names.length] ?? "";
  const next = rest.length === 0 ? value : mutated(rest, value, (into as Record<string, unknown>)[name]);
  return Array.isArray(into)
    ? [...into.slice(0, at % names.length), next, ...into.slice((at % names.length) + 1)]
    : { ...into, [name]: next };
}

describe("isPlainExport()", () => {
  test("knows what exports look like", () => {
    expect(isPlainExport(plain)).toBe(true);
    expect(isPlainExport({ ...plain, type: "Headless", labels: {} })).toBe(true);
  });

  test.each([
    ["an unknown field", { ...plain, more: 1 }],
    ["an IPv6 address", { ...plain, slices: [{ ports: [], endpoints: [{ address: "fd00::1" }] }] }],
    ["a missing field", { ...plain, slices: undefined }],
    ["a label named as what every object has", { ...plain, labels: { constructor: "x" } }],
    [
      "a label named __proto__",
      JSON.parse(JSON.stringify({ ...plain, labels: { __PROTO__: "x" } }).replace("__PROTO__", "__proto__")),
    ],
    ["a list", [plain]],
    ["nothing", null],
  ])("leaves %s to the schema", (_, body) => {
    expect(isPlainExport(body)).toBe(false);
  });

  test("says yes only to what the schema takes and leaves as it is, whatever one field is", () => {
    const seen = { plain: 0, other: 0 };
    for (const path of paths(plain)) {
      for (const value of VALUES) {
        const body = JSON.parse(JSON.stringify(mutated(path, value, plain))) as unknown;
        const said = isPlainExport(body);
        seen[said ? "plain" : "other"] += 1;
        if (said) expect(exportBody.safeParse(body)).toEqual({ success: true, data: body });
      }
    }
    expect(seen.plain).toBeGreaterThan(150);
    expect(seen.other).toBeGreaterThan(150);
  });

  test("and whatever several fields are", () => {
    let taken = 0;
    fc.assert(
      fc.property(mutations, (list) => {
        const body = JSON.parse(
          JSON.stringify(list.reduce<unknown>((into, [path, value]) => mutated(path, value, into), plain)) ?? "null",
        ) as unknown;
        if (!isPlainExport(body)) return;
        taken += 1;
        expect(exportBody.safeParse(body)).toEqual({ success: true, data: body });
      }),
      { numRuns: 3000 },
    );
    expect(taken).toBeGreaterThan(100);
  });
});
