import { describe, expect, test } from "vitest";
import type { Cidr } from "#values";
import { afterSteps } from "./apply.ts";
import { plan, planSteps, type Step } from "./plan.ts";
import { emptyState, type GlobalnetState, type GlobalnetWant } from "./state.ts";
import { exampleEntry, examplePlan, exampleServices, manyServices } from "./testbed-plan.ts";

const P = examplePlan(1);
const ONE = exampleEntry("242.192.0.1 TCP 80", ["242.2.0.1:80"]);
const TWO = exampleEntry("242.192.0.2 TCP 80", ["242.2.0.1:80", "242.3.0.1:80"]);

function kinds(steps: readonly Step[]): readonly string[] {
  return steps.map((step) => (step.kind === "service" ? `${step.to === undefined ? "-" : "+"}${step.key}` : step.kind));
}

function reached(want: GlobalnetWant): GlobalnetState {
  return afterSteps(emptyState, plan(emptyState, want));
}

describe("plan()", () => {
  test("begins with the guard, then old tables, then services", () => {
    const have = { ...emptyState, strays: [{ family: "ip6", name: "meridian_old" }] };
    expect(kinds(plan(have, { plan: P, services: exampleServices(ONE) }))).toEqual([
      "base",
      "service-table",
      "drop-table",
      "+242.192.0.1 TCP 80",
    ]);
  });

  test("removes services before it adds others", () => {
    const have = reached({ plan: P, services: exampleServices(ONE) });
    expect(kinds(plan(have, { plan: P, services: exampleServices(TWO) }))).toEqual([
      "-242.192.0.1 TCP 80",
      "+242.192.0.2 TCP 80",
    ]);
  });

  test("replaces the base alone when an address changes: services stay", () => {
    const have = reached({ plan: P, services: exampleServices(ONE, TWO) });
    const moved = examplePlan(1, { pods: [{ local: "10.8.0.0/16" as Cidr, global: "242.1.0.0/16" as Cidr }] });
    expect(kinds(plan(have, { plan: moved, services: exampleServices(ONE, TWO) }))).toEqual(["base"]);
  });

  test("loads every service again where the service prefix, and so the table, is another", () => {
    const have = reached({ plan: P, services: exampleServices(ONE) });
    const other = examplePlan(1, { servicePrefix: "242.128.0.0/9" as Cidr });
    expect(kinds(plan(have, { plan: other, services: exampleServices(ONE) }))).toEqual([
      "base",
      "service-table",
      "+242.192.0.1 TCP 80",
    ]);
  });

  test("leaves services alone that are not known, in a table of another prefix as well", () => {
    const have = reached({ plan: P, services: exampleServices(ONE) });
    expect(plan(have, { plan: P, services: null })).toEqual([]);
    const other = examplePlan(1, { servicePrefix: "242.128.0.0/9" as Cidr });
    expect(kinds(plan(have, { plan: other, services: null }))).toEqual(["base"]);
    expect(kinds(plan(emptyState, { plan: P, services: null }))).toEqual(["base"]);
  });

  test("an entry that nothing answers for is removed, and no step when there is none", () => {
    const silent = exampleEntry("242.192.0.1 TCP 80", ["242.2.0.1:80*0"]);
    const have = reached({ plan: P, services: exampleServices(ONE) });
    expect(kinds(plan(have, { plan: P, services: exampleServices(silent) }))).toEqual(["-242.192.0.1 TCP 80"]);
    expect(
      plan(reached({ plan: P, services: exampleServices(silent) }), { plan: P, services: exampleServices(silent) }),
    ).toEqual([]);
  });

  test("a table that lost rules is replaced, one whose rules nft broke over lines is not", () => {
    const have = reached({ plan: P, services: new Map() });
    const { base } = have;
    if (base === undefined) throw new Error("no base");
    const want = { plan: P, services: new Map() };
    expect(kinds(plan({ ...have, base: { ...base, rules: base.rules - 1 } }, want))).toEqual(["base"]);
    expect(plan({ ...have, base: { ...base, rules: base.rules + 9 } }, want)).toEqual([]);
  });

  test("does not look into an entry that is the same object", () => {
    const services = manyServices(100, 3);
    const have = reached({ plan: P, services });
    const untouched = new Map([...services].map(([key, entry]) => [key, unreadable(entry)]));
    const trapped = {
      ...have,
      entries: new Map([...have.entries].map(([key, one]) => [key, { ...one, entry: untouched.get(key) }])),
    };
    expect(plan(trapped as GlobalnetState, { plan: P, services: untouched })).toEqual([]);
  });
});

test("planSteps() yields at every comparison, so that a caller can pause, and tells what is as wanted", () => {
  const have = reached({ plan: P, services: manyServices(10, 2) });
  const same: string[] = [];
  const steps = [...planSteps(have, { plan: P, services: manyServices(10, 2) }, (key) => same.push(key))];
  expect(steps).toEqual(Array.from({ length: 10 }, () => undefined));
  expect(same).toHaveLength(10);
});

function unreadable<T extends object>(value: T): T {
  return new Proxy(value, {
    get() {
      throw new Error("was looked into");
    },
  });
}
