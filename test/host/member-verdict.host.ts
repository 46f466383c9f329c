import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  askUdp,
  checkExporters,
  checkSealed,
  eventually,
  exportCedarWeb,
  firstNode,
  get,
  getOnce,
  loseNode,
  mustExec,
  nameOf,
  POD_UDP_PORT,
  ping,
  resolve,
  SUPERNET,
  verb,
  verbJson,
} from "#lab";
import { err, expect as must, ok, type Result } from "#values";
import { type Raised, raise } from "./host-clusterset.ts";

const WEB = nameOf("web");
const DB = nameOf("db");

interface Import {
  readonly name: string;
  readonly stale: boolean;
}

describe("a member that dies without a word", () => {
  let raised: Raised;

  beforeAll(async () => {
    raised = await raise();
    await exportCedarWeb(raised.scene);
    await checkExporters(raised.scene.pods.birchClient, `http://${WEB}/`, ["amber", "cedar"]);
  });
  afterAll(() => raised?.down());

  const imports = async (): Promise<readonly Import[]> =>
    must(await verbJson<{ imports: Import[] }>(raised.set.gateways.birch, ["status"])).imports;

  test("F35 [submariner#821] leaves the service table within a second, and new connections and datagrams go to the others", async () => {
    const { scene } = raised;
    const { birchClient } = scene.pods;
    // Whoever else talks meanwhile loses nothing, and nothing of it can be read between the hosts.
    const others = ping(birchClient, DB, 15);
    const sealed = checkSealed(scene, SUPERNET, async () => must(await others));
    await loseNode(scene.underlay, firstNode(scene.clusters.cedar));
    const start = performance.now();
    const entries = async (): Promise<Result<string>> => {
      const table = await mustExec(firstNode(scene.clusters.birch), ["nft", "list", "ruleset"]);
      return table.includes("242.3.1.10") ? err("cedar's pod is in the table") : ok(table);
    };
    must(await eventually(entries, { everyMs: 20 }));
    expect(performance.now() - start).toBeLessThan(1000);
    const pages = must(await get(birchClient, `http://${WEB}/`, 20));
    expect(new Set(pages.map((page) => page.cluster))).toEqual(new Set(["amber"]));
    expect(must(await askUdp(birchClient, WEB, POD_UDP_PORT, "still there?")).cluster).toBe("amber");
    expect((await imports()).every(({ stale }) => !stale)).toBe(true);
    const explained = must(await verb(raised.set.gateways.birch, ["explain", WEB]));
    expect(await others).toEqual(ok(15));
    await sealed;
    expect(explained).toMatch(/cedar\s+left out\s+1 ready endpoints; no tunnel is up/);
  });

  test("F35 where it was the only one its last location stays, marked stale", async () => {
    const { scene, set } = raised;
    const before = must(await resolve(scene.pods.birchClient, DB));
    await loseNode(scene.underlay, firstNode(scene.clusters.amber));
    const stale = async (): Promise<Result<readonly Import[]>> => {
      const all = await imports();
      return all.filter((one) => one.name !== "ledger").every((one) => one.stale) ? ok(all) : err(JSON.stringify(all));
    };
    must(await eventually(stale));
    expect(must(await resolve(scene.pods.birchClient, DB))).toEqual(before);
    const { answer, reason } = must(
      await verbJson<{ answer: string[]; reason: string }>(set.gateways.birch, ["explain", DB]),
    );
    expect(answer).toEqual(before);
    expect(reason).toMatch(/stale/);
    // Of the two that had `web` the last that could be reached is the last location.
    const web = must(await verb(set.gateways.birch, ["explain", WEB]));
    expect(web).toMatch(/amber\s+yes\s+1 ready endpoints; no tunnel is up; stale: its last known location/);
    expect(web).toMatch(/cedar\s+left out/);
    expect((await getOnce(scene.pods.birchClient, `http://${WEB}/`)).ok).toBe(false);
  });
});
