import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  createRun,
  findNodeTools,
  installIn,
  type KubeNetworks,
  type KubeSet,
  type Run,
  raiseKubeSet,
  sweepRun,
} from "#lab";
import { type Cidr, expect as must } from "#values";
import { buildImage } from "../../deploy/image/build-image.ts";
import { OBJECT_SPECS } from "./mcs-object-specs.ts";
import { OF_POD_ADDRESSES, POD_SPECS } from "./mcs-pod-specs.ts";
import { Room } from "./mcs-room.ts";
import type { Spec } from "./mcs-spec.ts";

const tools = await findNodeTools();
if (!tools.ok) process.stderr.write(`skipped: ${tools.error}\n`);

const SPECS: readonly Spec[] = [...OBJECT_SPECS, ...POD_SPECS];
const EQUAL: KubeNetworks = { podCidr: "10.244.0.0/16" as Cidr, serviceCidr: "10.96.0.0/16" as Cidr };
const APART: KubeNetworks = { podCidr: "10.245.0.0/16" as Cidr, serviceCidr: "10.97.0.0/16" as Cidr };

describe.skipIf(!tools.ok).each([
  { mode: "direct", flags: ["--globalnet", "off"], networks: { amber: EQUAL, birch: APART } },
  { mode: "globalnet", flags: [], networks: { amber: EQUAL, birch: EQUAL } },
])("the MCS API, as upstream judges it, in mode $mode", ({ mode, flags, networks }) => {
  let run: Run;
  let set: KubeSet;

  beforeAll(async () => {
    if (!tools.ok) return;
    run = await createRun();
    set = await raiseKubeSet(run, tools.value, must(await buildImage(() => {})), networks);
    for (const cluster of [set.amber, set.birch]) must(await installIn(set, cluster, flags));
  }, 600_000);
  afterAll(async () => {
    if (run !== undefined) await sweepRun(run);
  });

  test("is what status says of the pair", async () => {
    const pod = await set.amber.kubectl(["get", "-n", "meridian", "pods", "-o", "jsonpath={.items[0].metadata.name}"]);
    const said = await set.amber.execIn(pod, ["meridian", "status", "-o", "json"], {
      namespace: "meridian",
      container: "gateway",
    });
    const { peers } = JSON.parse(must(said)) as { readonly peers: readonly { readonly mode: string }[] };
    expect(peers.map((peer) => peer.mode)).toEqual([mode]);
  });

  const passes = SPECS.filter(({ name }) => mode === "direct" || name !== OF_POD_ADDRESSES);
  test.each(passes.map((spec, number) => ({ ...spec, number })))("$name", (spec) => carryOut(spec, spec.number));

  if (mode === "direct") return;
  test(`but not: ${OF_POD_ADDRESSES}`, async () => {
    const spec = SPECS.find(({ name }) => name === OF_POD_ADDRESSES) as Spec;
    await expect(carryOut(spec, SPECS.length)).rejects.toThrow(/^birch: hello\..* is 242\.\S+ 242\.\S+, not 10\.244\./);
  });

  async function carryOut(spec: Spec, number: number): Promise<void> {
    const room = new Room(`mcs-${number}`, [set.amber, set.birch]);
    await room.open(spec.asks === true);
    try {
      await spec.run(room, set.amber, set.birch);
    } finally {
      await room.close();
    }
  }
});
