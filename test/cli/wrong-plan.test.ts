import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { planShape } from "./status-shape.ts";
import { faultLines, folder, meridian } from "./testbed.ts";

/** `ipam plan`: what cannot be read is exit code 2 with file and line; what can be and cannot work is exit code 1. */

const [dir, remove] = folder();
const file = join(dir, "plan.yaml");
afterAll(remove);

function plan(text: string, ...flags: readonly string[]) {
  writeFileSync(file, text);
  return meridian(["ipam", "plan", "-f", file, ...flags]);
}

describe("a plan that cannot be read", () => {
  test.each<[string, string, readonly RegExp[]]>([
    ["nothing", "", [/:1: the plan: /]],
    ["a text", "hello\n", [/:1: the plan: /]],
    ["YAML that ends too soon", "clusters: [\n", [/plan\.yaml:\d: /]],
    ["a tab", "clusters:\n\t- id: a\n", [/plan\.yaml:2: /]],
    ["no cluster", "clusters: []\n", [/:1: clusters: /]],
    [
      "an unknown key",
      "clusters:\n- id: a\n  podCidr: 10.0.0.0/16\n  podCdir: 10.1.0.0/16\n",
      [/:2: clusters\[0\]: .*podCdir/],
    ],
    [
      "a bad id",
      "clusters:\n- podCidr: 10.0.0.0/16\n  id: A_B\n",
      [/:3: clusters\[0\]\.id: cluster id must be a DNS label/],
    ],
    [
      "host bits",
      "clusters:\n- id: a\n  podCidr: 10.0.0.1/16\n",
      [/:3: clusters\[0\]\.podCidr\[0\]: 10\.0\.0\.1\/16 has host bits set; write 10\.0\.0\.0\/16/],
    ],
    [
      "a bad item of a list",
      "clusters:\n- id: a\n  podCidrs:\n  - 10.0.0.0/16\n  - here\n",
      [/:5: clusters\[0\]\.podCidrs\[1\]: not a CIDR/],
    ],
    [
      "a number",
      "clusters:\n- id: a\n  podCidr: 10\n",
      [/:3: clusters\[0\]\.podCidr: must be a string or a list of strings/],
    ],
    ["no pods", "clusters:\n- id: a\n", [/:2: clusters\[0\]\.podCidrs: is missing/]],
    [
      "one id twice",
      "clusters:\n- {id: a, podCidr: 10.0.0.0/16}\n- {id: a, podCidr: 10.1.0.0/16}\n",
      [/:3: clusters\[1\]\.id: a is the id of two clusters/],
    ],
    [
      "a supernet of loopback",
      "supernet: 127.0.0.0/8\nclusters:\n- {id: a, podCidr: 10.0.0.0/16}\n",
      [/:1: supernet\[0\]: a supernet cannot contain addresses of 127/],
    ],
    [
      "several at once",
      "supernet: x\nclusters:\n- id: A\n  podCidr: y\n",
      [/:1: supernet/, /:3: clusters\[0\]\.id/, /:4: clusters\[0\]\.podCidr/],
    ],
  ])("%s", async (_what, text, faults) => {
    const said = await plan(text);
    expect({ code: said.code, out: said.out }).toEqual({ code: 2, out: "" });
    const lines = faultLines(said);
    expect(lines).toHaveLength(faults.length);
    for (const [at, fault] of faults.entries()) expect(lines[at]).toMatch(fault);
    for (const line of lines) expect(line).toContain(`${file}:`);
  });

  test("a file that grows without bound when its aliases are read is refused", async () => {
    const bomb = [
      "a: &a [x, x, x, x, x, x, x, x, x]",
      ..."bcdefg".split("").map((name, at) => `${name}: &${name} [${`*${"abcdef"[at]}, `.repeat(9)}]`),
    ];
    const said = await plan(`${bomb.join("\n")}\nclusters: *g\n`);
    expect(said.code).toBe(2);
    expect(said.err).toMatch(/^meridian: \S+plan\.yaml:1: Excessive alias count/);
  });
});

describe("a plan that can be read", () => {
  const GOOD =
    "clusters:\n- {id: a, podCidr: 10.0.0.0/16, serviceCidr: 10.96.0.0/16}\n- {id: b, podCidr: 10.0.0.0/16, serviceCidr: 10.96.0.0/16}\n";

  test("is exit code 0 when every rule can be kept", async () => {
    const { code, out, err } = await plan(GOOD, "-o", "json");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(planShape.parse(JSON.parse(out)).some(({ verdict }) => verdict === "fail")).toBe(false);
  });

  test("is exit code 1 when one cannot, with subject, reason and remedy", async () => {
    const bad = GOOD.replace("clusters:", "supernet: 10.0.0.0/8\nclusters:");
    const { code, out } = await plan(bad, "-o", "json");
    expect(code).toBe(1);
    const failed = planShape.parse(JSON.parse(out)).filter(({ verdict }) => verdict === "fail");
    expect(failed.length).toBeGreaterThan(0);
    expect(failed.filter(({ remedy }) => remedy === null)).toEqual([]);
    const table = await plan(bad);
    expect(table.out).toMatch(/^VERDICT +RULE +SUBJECT +WHY +REMEDY\n/);
  });
});
