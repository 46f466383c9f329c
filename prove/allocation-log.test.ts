import { describe, expect, test } from "vitest";
import type { Cidr, Uid } from "#values";
import type { Envelope } from "#wire";
import { type Acknowledged, faultsInLog } from "./allocation-log.ts";

const uid = (n: number): Uid => `00000000-0000-4000-8000-00000000000${n}` as Uid;
const pods = (n: number, prefix: string) => ({
  ...{ kind: "pods", cluster: `c${n}`, uid: uid(n), generation: 1, local: "10.0.0.0/20", prefix },
});
const release = (prefix: string) => ({ kind: "release", prefix });
const log = (...entries: readonly (readonly object[])[]): Envelope[] =>
  entries.map((some, at) => ({
    ...{ key: `grant/${at + 1}`, order: { epoch: 1, seq: at + 1 }, signature: null },
    body: JSON.stringify({ number: at + 1, entries: some }),
  }));
const told = (n: number, prefix: string, left = false): Acknowledged => ({
  ...{ cluster: `c${n}`, uid: uid(n), prefix: prefix as Cidr, left },
});
const [P, Q, INSIDE] = ["242.1.0.0/20", "242.1.16.0/20", "242.1.8.0/24"];

describe("faultsInLog()", () => {
  test("finds nothing where a prefix goes from one to the next", () => {
    const good = log([pods(1, P), pods(2, Q)], [release(P)], [pods(3, P)]);
    expect(faultsInLog(good, [told(1, P, true), told(2, Q), told(3, P)])).toEqual([]);
  });

  test.each<[string, Envelope[], Acknowledged[], RegExp]>([
    [
      "two that overlap for one revision",
      log([pods(1, P)], [pods(2, INSIDE)], [release(P)]),
      [],
      /grant 2: .* overlaps/,
    ],
    ["an allocation that is lost", log([pods(1, P)], [release(P)]), [told(1, P)], /was told .* does not have it/],
    ["an allocation that is another's", log([pods(1, Q)]), [told(1, P)], /was told .* does not have it/],
    ["a join that was done twice", log([pods(1, P), pods(1, Q)]), [told(1, P)], /granted pods 2 times/],
    ["a join that was not done", log([]), [told(1, P)], /granted pods 0 times/],
    ["a member that left and has something", log([pods(1, P)]), [told(1, P, true)], /has something still/],
  ])("finds %s", (_, records, acknowledged, fault) => {
    expect(faultsInLog(records, acknowledged).join("\n")).toMatch(fault);
  });
});
