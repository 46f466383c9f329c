import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { blocksOf, nameOf } from "./blocks.ts";
import { type Loopback, raiseLoopback } from "./loopback.ts";
import { page, pages } from "./pages.ts";

/** Documents with blocks for one host, in their order. Each document has a scene of its own: one may evict what the next
 *  one asks for. */
const walks = pages()
  .map((one) => ({ path: one.path, blocks: blocksOf(one).filter(({ marks }) => marks.get("run") === "loopback") }))
  .filter(({ blocks }) => blocks.length > 0);

/** The Services of docs/manifests.md are what the other documents ask for. */
const manifests = Object.fromEntries(
  blocksOf(page("docs/manifests.md"))
    .filter(({ marks }) => marks.has("manifest"))
    .map(({ text }, at) => [`${at === 0 ? "web" : "db"}.yaml`, text]),
);

describe.each(walks)("$path on one host", ({ blocks }) => {
  let scene: Loopback;

  beforeAll(async () => {
    scene = await raiseLoopback(manifests);
  }, 60_000);
  afterAll(() => scene?.[Symbol.asyncDispose]());

  test.each(blocks.map((block) => ({ name: nameOf(block), block })))("$name", async ({ block }) => {
    expect(await scene.run(block)).toEqual({ ok: true, value: undefined });
  });
});
