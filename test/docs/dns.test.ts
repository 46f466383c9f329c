import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { readCorefile } from "#dns";
import { TABLES } from "../standards/tables.ts";
import { blocksOf } from "./blocks.ts";
import { page, ROOT, tables } from "./pages.ts";

const snippets = new Map(
  blocksOf(page("docs/dns.md"))
    .filter(({ marks }) => marks.has("forward"))
    .map((block) => [block.language, block]),
);
const hasUnbound = spawnSync("unbound-checkconf", ["-h"]).error === undefined;

/** Each resolver's own way to say where a zone is asked for; none of them runs here, so the form is what is checked. */
const FORMS: Readonly<Record<string, RegExp>> = {
  corefile: /^clusterset\.local:53 \{\n {4}errors\n {4}forward \. (?<to>\S+)\n\}\n$/,
  ini: /^\[Resolve\]\nDNS=(?<to>\S+)\nDomains=~clusterset\.local\n$/,
  unbound: /^server:\n(?: {2}\S+: .*\n)+\nstub-zone:\n {2}name: "clusterset\.local"\n {2}stub-addr: (?<to>\S+)\n$/,
};

describe("where CoreDNS answers otherwise", () => {
  test("every switch is in the table, under its row, and no other", () => {
    const text = readFileSync(join(ROOT, "src/dns/compat.ts"), "utf8");
    const inCode = [...text.matchAll(/\/\*\* (3\.\d-[\w-]+): .*?readonly (\w+)\?:/gs)].map(([, row, name]) => [
      row,
      name,
    ]);
    const [table = []] = tables(page("docs/dns.md").text).get("Where CoreDNS answers otherwise") ?? [];
    const inPage = table.map((line) => [line["row"], /^(\w+):/.exec(line["with the switch"] ?? "")?.[1]]);
    expect(inPage).toEqual(inCode);
    const rows = new Set(TABLES.flatMap(({ rows: of }) => of.map(({ id }) => id)));
    for (const [row] of inPage) expect(rows).toContain(row);
  });
});

describe("the resolvers' configurations in docs/dns.md", () => {
  test("there is one for each resolver that the page names", () => {
    expect([...snippets.keys()]).toEqual(Object.keys(FORMS));
  });

  test.each(Object.entries(FORMS))("%s forwards the zone to the address that the text names", (language, form) => {
    const { text = "", marks } = snippets.get(language) ?? {};
    const to = form.exec(text)?.groups?.["to"]?.replace("@", ":");
    expect(to).toBe(marks?.get("forward"));
    expect(page("docs/dns.md").text).toContain(`--dns ${to}`);
  });

  test.skipIf(!hasUnbound)("unbound takes its own", () => {
    const folder = mkdtempSync(join(tmpdir(), "meridian-unbound-"));
    try {
      const here = `server:\n  username: ""\n  chroot: ""\n  directory: "${folder}"\n`;
      writeFileSync(join(folder, "unbound.conf"), here + (snippets.get("unbound")?.text ?? ""));
      const { status, stderr } = spawnSync("unbound-checkconf", [join(folder, "unbound.conf")], { encoding: "utf8" });
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test("the Corefile in docs/dns.md is one that the responder takes", () => {
  const examples = blocksOf(page("docs/dns.md")).filter(({ marks }) => marks.has("conf"));
  expect(examples.length).toBeGreaterThan(0);
  for (const { text } of examples) {
    const world = { env: {}, imported: () => ({ ok: false, error: "none" }) as const };
    expect(readCorefile({ file: "Corefile", text }, world)).toMatchObject({ ok: true });
  }
});

describe("deploy/coredns", () => {
  const corefile = readFileSync(join(ROOT, "deploy/coredns/Corefile"), "utf8");
  const nodelocal = readFileSync(join(ROOT, "deploy/coredns/node-local-dns.yaml"), "utf8");

  test("has the block that the page shows", () => {
    expect(corefile).toContain(snippets.get("corefile")?.text);
  });

  test("NodeLocal DNSCache is told the same address", () => {
    const { data } = parse(nodelocal) as { readonly data: { readonly stubDomains: string } };
    expect(JSON.parse(data.stubDomains)).toEqual({ "clusterset.local": ["192.0.2.11:5353"] });
  });
});
