import { describe, expect, test } from "vitest";
import { changes, clean } from "./host-state.ts";

describe("clean()", () => {
  test("takes out what moves by itself, and sorts the rest", () => {
    const text = "b\n  ct state invalid counter packets 12 bytes 720 drop\nnetfilter/nf_conntrack_count:7\na  \n\n";
    expect(clean(text)).toEqual(["  ct state invalid counter drop", "a", "b"]);
  });

  test("takes out connections that have ended, and keeps those that live", () => {
    const text = "tcp TIME-WAIT 0 0 10.0.0.1:1 10.0.0.2:2\ntcp ESTAB 0 0 10.0.0.1:3 10.0.0.2:4\n";
    expect(clean(text)).toEqual(["tcp ESTAB 0 0 10.0.0.1:3 10.0.0.2:4"]);
  });
});

describe("changes()", () => {
  const before = new Map([
    ["links", ["lo", "eth0"]],
    ["rules", ["0: from all"]],
  ]);

  test("is empty for equal states", () => {
    expect(changes(before, new Map(before))).toEqual([]);
  });

  test("names what is new and what is gone, by kind", () => {
    const after = new Map([
      ["links", ["lo", "mrd0"]],
      ["rules", ["0: from all"]],
    ]);
    expect(changes(before, after)).toEqual(["links: + mrd0", "links: - eth0"]);
  });

  test("shows a kind that was not there before", () => {
    expect(changes(new Map(), new Map([["nexthops", ["id 1"]]]))).toEqual(["nexthops: + id 1"]);
  });
});
