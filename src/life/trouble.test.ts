import { describe, expect, test } from "vitest";
import { type Severity, type Trouble, Troubles } from "./trouble.ts";

const trouble = (code: string, subject = "", change: Partial<Trouble> = {}): Trouble => ({
  code,
  severity: "warning",
  title: `title of ${code}`,
  subject,
  detail: "detail",
  ...change,
});

function register(): { troubles: Troubles; heard: string[] } {
  const heard: string[] = [];
  const troubles = new Troubles(({ code, subject }, present) => heard.push(`${present ? "+" : "-"}${code} ${subject}`));
  return { troubles, heard };
}

const shown = (troubles: Troubles): readonly string[] =>
  troubles.list().map(({ code, subject }) => `${code} ${subject}`);

describe("Troubles", () => {
  test("tell each trouble once when it begins and once when it ends", () => {
    const { troubles, heard } = register();
    troubles.set(trouble("a", "x"));
    troubles.set(trouble("a", "x"));
    troubles.clear("a", "x");
    troubles.clear("a", "x");
    expect(heard).toEqual(["+a x", "-a x"]);
  });

  test("tell of a trouble again when its detail or its severity changes", () => {
    const { troubles, heard } = register();
    troubles.set(trouble("a"));
    troubles.set(trouble("a", "", { detail: "other" }));
    troubles.set(trouble("a", "", { detail: "other", severity: "critical" }));
    expect(heard).toEqual(["+a ", "+a ", "+a "]);
    expect(troubles.list()).toHaveLength(1);
  });

  test("keep subjects of one code apart, and clear() without a subject is the empty one", () => {
    const { troubles } = register();
    for (const subject of ["", "x", "y"]) troubles.set(trouble("a", subject));
    troubles.clear("a");
    expect(shown(troubles)).toEqual(["a x", "a y"]);
    troubles.clear("b", "x");
    expect(shown(troubles)).toEqual(["a x", "a y"]);
  });

  test("replace() leaves exactly the troubles of a code that are given", () => {
    const { troubles, heard } = register();
    for (const subject of ["x", "y"]) troubles.set(trouble("a", subject));
    troubles.set(trouble("b", "x"));
    heard.length = 0;
    troubles.replace("a", [trouble("a", "y"), trouble("a", "z")]);
    expect(shown(troubles)).toEqual(["a y", "a z", "b x"]);
    expect(heard).toEqual(["-a x", "+a z"]);
    troubles.replace("a", []);
    expect(shown(troubles)).toEqual(["b x"]);
  });

  test("list() has the critical ones first, then by code and subject, whatever the order in which they came", () => {
    const severities: readonly Severity[] = ["info", "critical", "warning"];
    const all = severities.flatMap((severity) =>
      ["b", "a"].map((code) => trouble(`${code}-${severity}`, "s", { severity })),
    );
    for (const order of [all, [...all].reverse()]) {
      const { troubles } = register();
      for (const one of order) troubles.set(one);
      expect(troubles.list().map(({ code }) => code)).toEqual([
        ...["a-critical", "b-critical", "a-warning", "b-warning", "a-info", "b-info"],
      ]);
    }
  });
});
