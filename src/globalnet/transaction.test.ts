import { describe, expect, test } from "vitest";
import { afterSteps } from "./apply.ts";
import { plan } from "./plan.ts";
import type { ServiceEntry } from "./service-entry.ts";
import { emptyState, type GlobalnetState } from "./state.ts";
import { exampleEntry, examplePlan, exampleServices, manyServices } from "./testbed-plan.ts";
import { elementKey, transactions } from "./transaction.ts";

const P = examplePlan(1);
const KEY = "242.192.0.1 TCP 80";

function having(...entries: readonly ServiceEntry[]): GlobalnetState {
  return afterSteps(emptyState, plan(emptyState, { plan: P, services: exampleServices(...entries) }));
}

/** texts is what nft is given to come from one service to another. */
function texts(have: GlobalnetState, ...entries: readonly ServiceEntry[]): readonly string[] {
  return [...transactions(plan(have, { plan: P, services: exampleServices(...entries) }))].map(({ text }) => text);
}

describe("transactions()", () => {
  test("a first service: its endpoint, then its verdict", () => {
    expect(texts(having(), exampleEntry(KEY, ["10.244.0.1:8080"]))).toEqual([
      "add element ip meridian-services b1 { 242.192.0.1 . 6 . 80 : 10.244.0.1 . 8080 }\n" +
        "add element ip meridian-services svc { 242.192.0.1 . 6 . 80 : goto r1 }\n",
    ]);
  });

  test("a removed service: its verdict, then its endpoint, at one moment", () => {
    expect(texts(having(exampleEntry(KEY, ["10.244.0.1:8080"])))).toEqual([
      "delete element ip meridian-services svc { 242.192.0.1 . 6 . 80 }\n" +
        "delete element ip meridian-services b1 { 242.192.0.1 . 6 . 80 }\n",
    ]);
  });

  test("a changed endpoint: its bucket alone", () => {
    const have = having(exampleEntry(KEY, ["242.2.0.1:80", "242.3.0.1:80"]));
    expect(texts(have, exampleEntry(KEY, ["242.2.0.1:80", "242.4.0.1:80"]))).toEqual([
      "delete element ip meridian-services b2 { 242.192.0.1 . 6 . 80 . 1 }\n" +
        "add element ip meridian-services b2 { 242.192.0.1 . 6 . 80 . 1 : 242.4.0.1 . 80 }\n",
    ]);
  });

  test("a changed class: new endpoints and verdict at one moment, the old endpoints afterwards", () => {
    const have = having(exampleEntry(KEY, ["242.2.0.1:80", "242.3.0.1:80"]));
    expect(texts(have, exampleEntry(KEY, ["242.2.0.1:80"]))).toEqual([
      "delete element ip meridian-services svc { 242.192.0.1 . 6 . 80 }\n" +
        "add element ip meridian-services b1 { 242.192.0.1 . 6 . 80 : 242.2.0.1 . 80 }\n" +
        "add element ip meridian-services svc { 242.192.0.1 . 6 . 80 : goto r1 }\n",
      "delete element ip meridian-services b2 { 242.192.0.1 . 6 . 80 . 0, 242.192.0.1 . 6 . 80 . 1 }\n",
    ]);
  });

  test("affinity that comes or goes changes the verdict alone: both kinds share a map", () => {
    const endpoints = ["242.2.0.1:80*50", "242.3.0.1:80*30", "242.4.0.1:80*20"];
    expect(texts(having(exampleEntry(KEY, endpoints)), exampleEntry(KEY, endpoints, "client"))).toEqual([
      "delete element ip meridian-services svc { 242.192.0.1 . 6 . 80 }\n" +
        "add element ip meridian-services svc { 242.192.0.1 . 6 . 80 : goto h128 }\n",
    ]);
  });

  test("many services are split at about so many elements, never inside one service", () => {
    const steps = plan(having(), { plan: P, services: manyServices(100, 3) });
    const chunks = [...transactions(steps, 50)];
    expect(chunks).toHaveLength(10);
    expect(chunks.flatMap((chunk) => chunk.steps)).toEqual(steps);
    for (const { text, steps: taken } of chunks) expect(text.match(/ : /g)).toHaveLength(taken.length * 4);
  });

  test("tables and sets are the first transaction, all at one moment", () => {
    const want = { plan: P, services: manyServices(3, 1) };
    const [tables, ...rest] = transactions(plan(emptyState, want));
    expect(tables?.steps.map((step) => step.kind)).toEqual(["base", "service-table"]);
    expect(rest).toHaveLength(1);
  });

  test("a set is emptied and filled at one moment; one without elements is emptied", () => {
    const links = (localLinks: readonly string[]) => {
      const steps = plan(having(), { plan: examplePlan(1, { localLinks }), services: new Map() });
      return [...transactions(steps)].map(({ text }) => text).join("");
    };
    expect(links(["eth9"])).toBe('flush set ip meridian localif\nadd element ip meridian localif { "eth9" }\n');
    expect(links([])).toBe("flush set ip meridian localif\n");
  });

  test("nothing to do is no transaction", () => {
    expect([...transactions([])]).toEqual([]);
  });
});

test("elementKey() writes protocols as numbers", () => {
  expect(["TCP", "UDP", "SCTP"].map((protocol) => elementKey(`242.192.0.1 ${protocol} 9`))).toEqual([
    "242.192.0.1 . 6 . 9",
    "242.192.0.1 . 17 . 9",
    "242.192.0.1 . 132 . 9",
  ]);
});
