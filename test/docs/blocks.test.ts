import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { aptCommand } from "#lab";
import { blocksOf, missingIn, nameOf } from "./blocks.ts";
import { pages, ROOT, tables } from "./pages.ts";

const all = pages().flatMap(blocksOf);
const commands = all.filter(({ language }) => language === "sh");

/** Blocks that are not run, by a word in them, each with its reason. */
const NOT_RUN: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/kubectl apply/, "needs a cluster: test/kube does the same to real API servers, under the same rights"],
  [/^kubectl annotate/m, "needs a cluster: test/kube/clusterset-ip.kube.ts does the same to a real API server"],
  [/^make (demo|test)$/m, "they run this test; that their targets exist is checked below"],
  [
    /^apt-get install/m,
    "it would change the machine; the packages are compared with those that the laboratory installs",
  ],
  [/^systemctl /m, "a namespace has no service manager; the units themselves are run by systemd.host.ts"],
  [
    /^meridian (gateway --identity|drain)/m,
    "two gateways need two hosts with tunnels; siblings.long.ts runs both commands",
  ],
  [/^meridian (un)?install /m, "needs clusters with nodes: test/nodes/install.long.ts runs both in real ones"],
  [/^helm install /m, "needs a cluster with nodes: deploy/helm/chart.test.ts renders the chart with the real Helm"],
  [/^iptables /m, "it is for a chain that only Docker makes"],
];

describe("blocksOf()", () => {
  const text = "# T\n\n```sh run=loopback retry\necho 1\n```\n\n```text output\n1\n```\n\n```yaml\na: 1\n```\n";
  const blocks = blocksOf({ path: "x.md", text });

  test("finds blocks with language, marks and place", () => {
    expect(blocks.map(({ language, line }) => [language, line])).toEqual([
      ["sh", 3],
      ["yaml", 11],
    ]);
    expect([...(blocks[0]?.marks ?? [])]).toEqual([
      ["run", "loopback"],
      ["retry", ""],
    ]);
  });

  test("gives shown output to the block before it", () => {
    expect(blocks[0]?.output).toEqual(["1"]);
    expect(blocks[1]?.output).toEqual([]);
  });

  test("names a block by place and first command", () => {
    expect(blocks.slice(0, 1).map(nameOf)).toEqual(["x.md:3 echo 1"]);
  });
});

describe("missingIn()", () => {
  test.each([
    [["a"], "a\n", undefined],
    [["a  b"], "a        b\n", undefined],
    [["a … c"], "a b b c\n", undefined],
    [["a", "b"], "a\nx\nb\n", undefined],
    [["b", "a"], "a\nb\n", "a"],
    [["a"], "ab\n", "a"],
    [["a.c"], "abc\n", "a.c"],
  ])("of %j in %j is %j", (shown, real, missing) => {
    expect(missingIn(shown, real)).toBe(missing);
  });
});

describe("tables()", () => {
  test("finds rows by the heads of their columns, under their heading", () => {
    const found = tables("# `T` 1\n\n| a | b |\n|---|---|\n| `x\\|y` | 2 |\n");
    expect([...found]).toEqual([["T 1", [[{ a: "x|y", b: "2" }]]]]);
  });
});

describe("every block of commands", () => {
  test.each(commands.map((block) => ({ name: nameOf(block), block })))("$name is one that sh can read", ({ block }) => {
    const { status, stderr } = spawnSync("sh", ["-n"], { input: block.text, encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  test("is run by a test, or there is a reason why not", () => {
    const loose = commands.filter(({ marks, text }) => {
      const run = marks.get("run");
      if (run === "two-hosts") return !["host1", "host2", "both"].includes(marks.get("on") ?? "");
      if (run === "loopback") return false;
      return !(marks.has("check-only") && NOT_RUN.some(([pattern]) => pattern.test(text)));
    });
    expect(loose.map(nameOf)).toEqual([]);
  });

  test("other languages are known ones, and YAML can be read", () => {
    const strange = all.filter(
      ({ language, marks }) =>
        !["sh", "yaml"].includes(language) && language !== "" && !marks.has("forward") && !marks.has("conf"),
    );
    expect(strange.map(nameOf)).toEqual([]);
    const broken = all.filter(
      ({ language, text }) => language === "yaml" && parseAllDocuments(text).some(({ errors }) => errors.length > 0),
    );
    expect(broken.map(nameOf)).toEqual([]);
  });

  test("calls only targets that make has", () => {
    const makefile = readFileSync(join(ROOT, "Makefile"), "utf8");
    const targets = commands.flatMap(({ text }) =>
      [...text.matchAll(/^make (?:-C \S+ )?([\w-]+)/gm)].map((match) => match[1] ?? ""),
    );
    expect(targets.length).toBeGreaterThan(2);
    expect(targets.filter((target) => !new RegExp(`^${target}:`, "m").test(makefile))).toEqual([]);
  });

  test("installs all that the program calls", () => {
    const packages = aptCommand().filter(
      (word) => /^[a-z]/.test(word) && !["apt-get", "install", "iputils-ping"].includes(word),
    );
    const lines = commands.flatMap(({ text }) =>
      [...text.matchAll(/^apt-get install -y (.*)$/gm)].map((m) => m[1] ?? ""),
    );
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line.split(" ")).toEqual(expect.arrayContaining([...packages]));
  });
});
