import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { blocksOf, nameOf } from "./blocks.ts";
import { type HostPair, raiseHostPair, runBlock } from "./host-pair.ts";
import { pages } from "./pages.ts";

/** Documents with a setup on two hosts, each with its blocks in order. */
const walks = pages()
  .map((page) => ({ path: page.path, blocks: blocksOf(page).filter(({ marks }) => marks.get("run") === "two-hosts") }))
  .filter(({ blocks }) => blocks.length > 0);

describe.each(walks)("$path on two hosts", ({ blocks }) => {
  let pair: HostPair;

  beforeAll(async () => {
    pair = await raiseHostPair();
  });
  afterAll(() => pair?.[Symbol.asyncDispose]());

  test.each(blocks.map((block) => ({ name: nameOf(block), block })))("$name", async ({ block }) => {
    expect(await runBlock(pair, block)).toEqual({ ok: true, value: undefined });
  });
});
