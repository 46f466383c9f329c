import { describe, expect, test } from "vitest";
import { FakeNft } from "./fake-nft.ts";
import { render } from "./render.ts";
import { examplePlan } from "./testbed-plan.ts";

const TABLE =
  "table ip t {\n  map m { type ipv4_addr : ipv4_addr; }\n  map v { type ipv4_addr : verdict; }\n  chain r1 { accept; }\n}\n";

describe("FakeNft", () => {
  test.each([
    ["an element of a set that is not there", "add element ip t x { 1.1.1.1 }"],
    ["the removal of an element that is not there", "delete element ip t m { 1.1.1.1 }"],
    ["an element that has other data", "add element ip t m { 9.9.9.9 : 1.1.1.1 }"],
    ["a verdict to a chain that is not there", "add element ip t v { 1.1.1.1 : goto r2 }"],
    ["the removal of a table that is not there", "delete table ip u"],
    ["what it cannot read", "table ip u {\n  nonsense\n}"],
  ])("refuses %s, and the whole transaction with it", async (_, text) => {
    const nft = new FakeNft();
    await nft.run(`${TABLE}add element ip t m { 9.9.9.9 : 8.8.8.8 }\n`);
    const before = String(nft);
    const done = await nft.run(`add element ip t m { 7.7.7.7 : 8.8.8.8 }\n${text}\n`);
    expect(done.ok).toBe(false);
    expect(String(nft)).toBe(before);
    expect(nft.transactions).toBe(1);
  });

  test("prints itself as nft does", async () => {
    const nft = new FakeNft();
    await nft.run(`${TABLE}add element ip t v { 1.1.1.1 : goto r1 }\n`);
    expect(String(nft)).toContain(
      "\tmap v {\n\t\ttype ipv4_addr : verdict\n\t\telements = { 1.1.1.1 : goto r1 }\n\t}\n",
    );
  });

  test("takes what render() writes, and the same again", async () => {
    const nft = new FakeNft();
    await nft.run(render(examplePlan(1)));
    const once = String(nft);
    expect((await nft.run(render(examplePlan(1)))).ok).toBe(true);
    expect(String(nft)).toBe(once);
  });
});
