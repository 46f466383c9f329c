import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ImportMould } from "./import-mould.ts";
import { PlainLines } from "./plain-lines.ts";
import { readPlainDocument } from "./plain-yaml.ts";
import { quickFile } from "./quick-file.ts";
import { type ImportObject, quickImport } from "./quick-import.ts";
import { readContent } from "./read-document.ts";

/** written is an import as a program writes it; `rest` stands below its spec. */
function written(name: string, namespace: string, address: string, rest = ""): string {
  return `apiVersion: multicluster.x-k8s.io/v1alpha1
kind: ServiceImport
metadata:
  name: ${name}
  namespace: ${namespace}
spec:
  type: ClusterSetIP
  ips:
  - ${address}
${rest}`;
}

const PORTS = "  ports:\n  - name: http\n    protocol: TCP\n    port: 80\nstatus:\n  clusters:\n  - cluster: amber\n";

function read(document: string): ImportObject {
  const object = quickImport(readPlainDocument(new PlainLines(document)), 1);
  if (object === undefined) throw new Error("the document is not plain");
  return object;
}

function mouldOf(document: string): ImportMould | undefined {
  const text = `${document}---\n`;
  return ImportMould.of(text, 0, read(document));
}

describe("a mould of imports", () => {
  test("reads what differs in name, namespace and address alone, and says where the next document begins", () => {
    const mould = mouldOf(written("web", "shop", "242.192.0.1", PORTS));
    const other = written("api-of-another", "payments", "242.192.7.9", PORTS);
    const text = `# first\n${other}---\n${other}`;
    const found = mould?.read(text, 8, 2);
    expect(found?.object).toEqual({ ...read(other), line: 2 });
    expect(text.slice(found?.end)).toBe(other);
    expect(mould?.lines).toBe(`${other}---`.split("\n").length);
  });

  test.each([
    ["another kind", written("api", "shop", "242.192.0.2", PORTS).replace("ServiceImport", "ServiceExport")],
    ["another type", written("api", "shop", "242.192.0.2", PORTS).replace("ClusterSetIP", "Headless")],
    ["another port", written("api", "shop", "242.192.0.2", PORTS.replace("80", "81"))],
    ["one line more", written("api", "shop", "242.192.0.2", `${PORTS}  - cluster: birch\n`)],
    ["a comment behind a name", written("api # mine", "shop", "242.192.0.2", PORTS)],
    ["a name in quotes", written('"api"', "shop", "242.192.0.2", PORTS)],
    ["a name that is a number", written("42", "shop", "242.192.0.2", PORTS)],
    ["a name that is a number to some", written("1e3", "shop", "242.192.0.2", PORTS)],
    ["a name that is a word of YAML", written("true", "shop", "242.192.0.2", PORTS)],
    ["a name that is no label", written("Api", "shop", "242.192.0.2", PORTS)],
    ["a name of 64 letters", written("a".repeat(64), "shop", "242.192.0.2", PORTS)],
    ["an address that is none", written("api", "shop", "242.192.0.256", PORTS)],
    ["an address with zeros before it", written("api", "shop", "242.192.0.02", PORTS)],
    ["an IPv6 address", written("api", "shop", "fd00::1", PORTS)],
    ["two addresses", written("api", "shop", "242.192.0.2\n  - 242.192.0.3", PORTS)],
    ["lines of Windows", written("api", "shop", "242.192.0.2", PORTS).replaceAll("\n", "\r\n")],
  ])("leaves to the reader: %s", (_, document) => {
    const mould = mouldOf(written("web", "shop", "242.192.0.1", PORTS));
    expect(mould?.read(`${document}---\n`, 0, 1)).toBeUndefined();
  });

  test.each([
    ["no separator behind it", written("web", "shop", "242.192.0.1"), ""],
    ["two lines that could be the name", written("web", "shop", "242.192.0.1", "  name: web\n"), "---\n"],
    ["a line that only looks like the name", written("'web'", "shop", "242.192.0.1", "  name: web\n"), "---\n"],
    [
      "a name that stands elsewhere as well",
      written("web", "shop", "242.192.0.1", "  ports:\n  - name: web\n    port: 1\n"),
      "---\n",
    ],
    ["no address", written("web", "shop", "x", "").replace("  ips:\n  - x\n", ""), "---\n"],
  ])("there is none of a document with %s", (_, document, behind) => {
    expect(ImportMould.of(`${document}${behind}`, 0, read(document))).toBeUndefined();
  });
});

test("a file is read alike with moulds and without, whatever forms its documents have", () => {
  const mostly = (usual: readonly string[], odd: readonly string[]) =>
    fc.oneof({ weight: 30, arbitrary: fc.constantFrom(...usual) }, { weight: 1, arbitrary: fc.constantFrom(...odd) });
  const label = mostly(["web", "api-of-another-team", "a", "shop", "http", "x".repeat(63)], ["true", "42", "Web"]);
  const address = mostly(["242.192.0.1", "10.0.0.255"], ["10.0.0.256", "fd00::1", "1.2.3"]);
  const rest = fc.constantFrom(
    PORTS,
    PORTS,
    PORTS,
    PORTS.replace("80", "443"),
    PORTS.replace("http", "web"),
    "",
    "# end\n",
  );
  const between = fc.constantFrom("---\n", "---\n", "---\n", "---\n---\n", "---\n# next\n", "---\n\n");
  const document = fc
    .tuple(label, label, address, rest, between)
    .map(([name, namespace, ip, below, end]) => `${written(name, namespace, ip, below)}${end}`);
  let same = 0;
  fc.assert(
    fc.property(fc.array(document, { minLength: 2, maxLength: 12 }), (documents) => {
      const text = documents.join("");
      const steps = quickFile(text);
      let step = steps.next();
      while (step.done !== true) step = steps.next();
      if (step.value === undefined) return;
      same += 1;
      expect(step.value).toEqual(readContent("a.yaml", text));
    }),
    { numRuns: 400 },
  );
  expect(same).toBeGreaterThan(100);
});
