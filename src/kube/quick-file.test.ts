import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import type { ParsedFile } from "./manifest-object.ts";
import { quickFile } from "./quick-file.ts";
import { readContent } from "./read-document.ts";

/** quickly takes all steps. */
function quickly(text: string): ParsedFile | undefined {
  const steps = quickFile(text);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

const IMPORT = `apiVersion: multicluster.x-k8s.io/v1alpha1
kind: ServiceImport
metadata:
  name: web
  namespace: shop
spec:
  type: ClusterSetIP
  ips: [242.192.0.1]
  ports:
  - { name: http, protocol: TCP, port: 80 }
`;

describe("quickFile()", () => {
  test("reads imports in plain YAML, each with its line", () => {
    const text = `# all\n---\n---\n${IMPORT}---\n\n${IMPORT.replace("web", "api")}`;
    const found = quickly(text);
    expect(found?.objects.map(({ name, line }) => [name, line])).toEqual([
      ["web", 4],
      ["api", 16],
    ]);
    expect(found).toEqual(readContent("a.yaml", text));
  });

  test.each([
    ["nothing", ""],
    ["comments alone", "# a\n---\n# b\n"],
    ["a last line without an end", IMPORT.trimEnd()],
    ["no namespace", IMPORT.replace("  namespace: shop\n", "")],
    ["fields that are not known", `${IMPORT}  sessionAffinity: None\nother: 1\n`],
    ["an address that is none", IMPORT.replace("242.192.0.1", "'x.y'")],
    ["an IPv6 address, written long", IMPORT.replace("242.192.0.1", "'FD00::0:1'")],
  ])("reads what the schemas read: %s", (_, text) => {
    expect(quickly(text)).toEqual(readContent("a.yaml", text));
    expect(quickly(text)).toBeDefined();
  });

  test.each([
    ["another kind", IMPORT.replace("ServiceImport", "ServiceExport")],
    ["another version", IMPORT.replace("v1alpha1", "v2")],
    ["a name that is no label", IMPORT.replace("web", "Web")],
    ["a port out of range", IMPORT.replace("80", "65536")],
    ["a protocol in small letters", IMPORT.replace("TCP", "tcp")],
    ["three addresses", IMPORT.replace("[242.192.0.1]", "[1.1.1.1, 2.2.2.2, 3.3.3.3]")],
    ["an unknown type", IMPORT.replace("ClusterSetIP", "ExternalName")],
    ["no spec", "apiVersion: multicluster.x-k8s.io/v1alpha1\nkind: ServiceImport\nmetadata: {name: a}\n"],
    ["a time", IMPORT.replace("  name: web\n", "  name: web\n  creationTimestamp: 2026-01-31T12:00:00Z\n")],
    ["a directive", `%YAML 1.2\n---\n${IMPORT}`],
    ["content behind a marker", `--- {}\n${IMPORT}`],
    ["another marker", `${IMPORT}...\n`],
    ["a tab", IMPORT.replace("web", "\tweb")],
    ["lines of Windows", IMPORT.replaceAll("\n", "\r\n")],
    ["a key twice", `${IMPORT}kind: ServiceImport\n`],
  ])("leaves to the full readers: %s", (_, text) => {
    expect(quickly(text)).toBeUndefined();
    expect(quickly(`${IMPORT}---\n${text}`)).toBeUndefined();
  });

  test("whatever it reads, the schemas read alike", () => {
    const odd = fc.constantFrom("x".repeat(63), "Web", "", "10.0.0.1", "fd00::1", "TCP", "UDP");
    const text = fc.oneof({ weight: 12, arbitrary: fc.constantFrom("web", "a-b") }, { weight: 1, arbitrary: odd });
    const address = fc.oneof(
      { weight: 12, arbitrary: fc.constantFrom("10.0.0.1", "fd00::1") },
      { weight: 1, arbitrary: odd },
    );
    const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
    const number = fc.integer({ min: 1, max: 65_535 });
    const port = fc.record({
      name: maybe(fc.oneof(text, fc.constant(null))),
      protocol: maybe(fc.constantFrom("TCP", "UDP", "SCTP", "TCP", "UDP", "SCTP", "tcp")),
      port: fc.oneof(
        { weight: 12, arbitrary: number },
        { weight: 1, arbitrary: fc.constantFrom<unknown>(0, 1.5, "80") },
      ),
      appProtocol: maybe(text),
    });
    const object = fc.record({
      apiVersion: fc.constantFrom("multicluster.x-k8s.io/v1alpha1", "multicluster.x-k8s.io/v1beta1"),
      kind: fc.constantFrom("ServiceImport"),
      metadata: fc.record({ name: text, namespace: maybe(text) }),
      spec: fc.record({
        type: fc.constantFrom("ClusterSetIP", "Headless"),
        ports: maybe(fc.array(port, { maxLength: 3 })),
        ips: maybe(fc.array(address, { maxLength: 3 })),
      }),
      status: maybe(fc.record({ clusters: maybe(fc.array(fc.record({ cluster: text }), { maxLength: 2 })) })),
    });
    let read = 0;
    fc.assert(
      fc.property(fc.array(object, { minLength: 1, maxLength: 3 }), (objects) => {
        const written = objects.map((one) => stringify(one, { lineWidth: 0 })).join("---\n");
        const found = quickly(written);
        if (found === undefined) return;
        read += 1;
        expect(found).toEqual(readContent("a.yaml", written));
      }),
      { numRuns: 500 },
    );
    expect(read).toBeGreaterThan(60);
  });
});
