import { describe, expect, test } from "vitest";
import { Troubles } from "#life";
import { RefusedRecords } from "./refused-records.ts";

function refused(count: number, severity: "warning" | "critical" = "warning") {
  const troubles = new Troubles();
  const records = new RefusedRecords(troubles);
  for (let at = 0; at < count; at += 1) records.add(`export/birch/shop/s${at}`, severity, "A record is wrong", "why");
  return { troubles, records, subjects: () => troubles.list().map(({ subject }) => subject) };
}

describe("RefusedRecords", () => {
  test("shows a hundred records and counts the rest, however many there are", () => {
    const { troubles, subjects } = refused(100_000);
    expect(subjects()).toHaveLength(101);
    expect(troubles.list().find(({ subject }) => subject === "others")?.detail).toMatch(/^99900 further refusals/);
  });

  test("shows what is critical although there are many warnings", () => {
    const { records, subjects } = refused(500);
    records.add("member/birch", "critical", "A record is wrong", "key-swap");
    expect(subjects()[0]).toBe("member/birch");
  });

  test("takes a record away when a good one came, and all of a member that is gone", () => {
    const { records, subjects } = refused(3);
    records.clear("export/birch/shop/s1");
    expect(subjects()).toHaveLength(2);
    records.pardon("birch");
    expect(subjects()).toEqual([]);
  });
});
