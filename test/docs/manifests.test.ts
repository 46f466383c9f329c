import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createManifestSource, type Manifests } from "#kube";
import { silentLog, systemClock, type Trouble, Troubles } from "#life";
import { blocksOf } from "./blocks.ts";
import { page } from "./pages.ts";

/** read has a folder with these files read, as a gateway does. */
async function read(files: readonly string[]): Promise<{ manifests: Manifests; troubles: readonly Trouble[] }> {
  const dir = mkdtempSync(join(tmpdir(), "meridian-manifests-"));
  const troubles = new Troubles();
  const stop = new AbortController();
  try {
    for (const [at, text] of files.entries()) writeFileSync(join(dir, `${at}.yaml`), text);
    const source = createManifestSource({ dir, clock: systemClock, log: silentLog, troubles, random: () => 0.5 });
    const end = source.run(stop.signal);
    await source.synced;
    stop.abort();
    await end;
    return { manifests: source.current(), troubles: troubles.list() };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

describe("docs/manifests.md", () => {
  const examples = blocksOf(page("docs/manifests.md")).filter(({ marks }) => marks.has("manifest"));

  test("its examples are right, and export what the text says", async () => {
    const { manifests, troubles } = await read(examples.map(({ text }) => text));
    expect(troubles).toEqual([]);
    expect([...manifests.exports.keys()].sort()).toEqual(["shop/db", "shop/web"]);
    expect(manifests.exports.get("shop/web")?.service?.headless).toBe(false);
    expect(manifests.exports.get("shop/db")?.service?.headless).toBe(true);
    expect(manifests.ignoredKinds).toBe(0);
  });

  test("an endpoint that is not ready is left out, as it says", async () => {
    const { manifests } = await read(examples.map(({ text }) => text));
    const addresses = manifests.exports.get("shop/web")?.slices.flatMap(({ endpoints }) => endpoints);
    expect(addresses?.map((endpoint) => endpoint.addresses)).toEqual([["10.244.1.10"]]);
  });

  test("an object that two files define is in force by the first file's name, as it says", async () => {
    const web = examples[0]?.text ?? "";
    const { manifests, troubles } = await read([web, web.replace("port: 80,", "port: 81,")]);
    expect(manifests.exports.get("shop/web")?.service?.ports.map(({ port }) => port)).toEqual([80]);
    expect([...new Set(troubles.map(({ code }) => code))]).toEqual(["manifest-duplicate"]);
  });
});
