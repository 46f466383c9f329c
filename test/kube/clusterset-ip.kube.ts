import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadLive } from "#kube";
import { eventually, findKubeTools } from "#lab";
import { err, ok } from "#values";
import { say } from "../cli/testbed-daemons.ts";
import {
  addressesOf,
  addService,
  at,
  conditionOf,
  derivedOf,
  exportService,
  type Fields,
  importOf,
  noImport,
  slicesOf,
  unexport,
} from "./objects.ts";
import { type KubeMember, type KubeScene, NAMESPACE, raisePair } from "./scene.ts";

const { RESOURCES } = await loadLive();

/** What the clusterset IP of an import is: amber has derived Services, birch the service addresses. */

const tools = await findKubeTools();
if (!tools.ok) process.stderr.write(`skipped: ${tools.error}\n`);

const ASK = "meridian.io/clusterset-ip";
const SERVICE = "kubernetes.io/service-name";
const GLOBAL = /^242\.(19[2-9]|2[0-5]\d)\./;
const CLUSTER_IP = /^10\.96\./;

describe.skipIf(!tools.ok)("the clusterset IP of an import on a real API server", () => {
  let scene: KubeScene;
  let amber: KubeMember;
  let birch: KubeMember;

  beforeAll(async () => {
    if (!tools.ok) return;
    ({ scene, amber, birch } = await raisePair(tools.value, { flags: { birch: ["--clusterset-ip", "global"] } }));
  });
  afterAll(() => scene?.down());

  async function exported(name: string, spec: Fields = {}): Promise<void> {
    await addService(amber, name);
    await exportService(amber, name, spec);
  }

  test("global: the service address, no derived Service, and slices that are tied to none", async () => {
    await exported("g1");
    const there = await importOf(birch, "g1", hasIp(GLOBAL));
    expect(at(there, "metadata", "annotations")).toBeUndefined();
    expect(at(there, "status", "conditions")).toMatchObject([{ type: "Ready", status: "True", reason: "Ready" }]);
    const slices = await slicesOf(birch, "g1", 1);
    expect(slices.flatMap(addressesOf)).toEqual([expect.stringMatching(/^242\./)]);
    expect(slices.map((slice) => at(slice, "metadata", "labels", SERVICE))).toEqual([undefined]);
    expect(await derivedNames(birch)).toEqual([]);
    await answers(birch, "g1", ipOf(there));
    // The same name in amber, where the cluster's setting is the other one.
    const here = await importOf(amber, "g1", hasIp(CLUSTER_IP));
    expect(at(await derivedOf(amber, here), "spec", "clusterIP")).toBe(ipOf(here));
    await answers(amber, "g1", ipOf(here));
    await conditionOf(amber, "g1", { type: "Ready", status: "True", reason: "Exported" });
    await unexport([amber], "g1");
    await noImport(birch, "g1");
    await slicesOf(birch, "g1", 0);
  });

  test("the annotation counts for its import, stays its user's, and when it goes the cluster's setting counts", async () => {
    await exported("g2");
    await importOf(birch, "g2", hasIp(GLOBAL));
    const start = performance.now();
    await annotate(birch, "g2", "derived");
    const derived = await importOf(birch, "g2", hasIp(CLUSTER_IP));
    expect(performance.now() - start).toBeGreaterThan(3000); // kube-proxy has had time to hear of the Service
    expect(at(await derivedOf(birch, derived), "spec", "clusterIP")).toBe(ipOf(derived));
    const [slice] = await slicesOf(birch, "g2", 1);
    expect(at(slice, "metadata", "labels", SERVICE)).toBe((await derivedNames(birch))[0]);
    await answers(birch, "g2", ipOf(derived));
    expect(at(derived, "metadata", "annotations", ASK)).toBe("derived");
    expect(JSON.stringify(fieldsOf(derived, "meridian.io"))).not.toContain(ASK);
    await annotate(birch, "g2", null);
    const back = await importOf(birch, "g2", hasIp(GLOBAL));
    expect(at(back, "metadata", "annotations")).toBeUndefined();
    await unexport([amber], "g2");
    await noImport(birch, "g2");
  });

  test("from derived to global the name always answers, and the old address works ten seconds more", async () => {
    await exported("g3");
    const derived = await importOf(amber, "g3", hasIp(CLUSTER_IP));
    const [before, own] = [ipOf(derived), String(at(await derivedOf(amber, derived), "metadata", "name"))];
    const isThere = async (): Promise<boolean> => (await derivedNames(amber)).includes(own);
    await answers(amber, "g3", before);
    const seen = [await dig(amber, "g3")];
    await annotate(amber, "g3", "global");
    const start = performance.now();
    for (let there = true; there; ) {
      seen.push(await dig(amber, "g3"));
      const tied = (await slicesOf(amber, "g3", 1)).map((slice) => at(slice, "metadata", "labels", SERVICE));
      there = await isThere();
      if (there) expect(tied).toEqual([own]); // kube-proxy still has endpoints for it
    }
    const seconds = (performance.now() - start) / 1000;
    expect([seconds > 9.5, seconds < 20], `${seconds} s`).toEqual([true, true]);
    const after = ipOf(await importOf(amber, "g3", hasIp(GLOBAL)));
    expect([...new Set(seen)].sort()).toEqual([before, after].sort());
    expect(seen.lastIndexOf(before)).toBeLessThan(seen.indexOf(after));
    const untied = await eventually(async () => {
      const [slice] = await slicesOf(amber, "g3", 1);
      return at(slice, "metadata", "labels", SERVICE) === undefined ? ok(undefined) : err("still tied");
    });
    expect(untied).toEqual(ok(undefined));
    await unexport([amber], "g3");
    await noImport(amber, "g3");
  });

  test("what is neither is a trouble that names the import, and the cluster's setting counts", async () => {
    await exported("g4");
    await importOf(birch, "g4", hasIp(GLOBAL));
    await annotate(birch, "g4", "service");
    const detail = await troubleOf(birch, (text) => text.includes("clusterset-ip-unknown"));
    expect(detail).toMatch(/shop\/g4: meridian\.io\/clusterset-ip must be derived or global: .*service/);
    await importOf(birch, "g4", hasIp(GLOBAL));
    await annotate(birch, "g4", "global");
    await troubleOf(birch, (text) => !text.includes("clusterset-ip-unknown"));
    await unexport([amber], "g4");
    await noImport(birch, "g4");
  });

  test("an exporter's annotation of that name decides nothing in another cluster", async () => {
    await exported("g5", { exportedAnnotations: { [ASK]: "derived", note: "x" } });
    const there = await importOf(birch, "g5", hasIp(GLOBAL));
    expect(at(there, "metadata", "annotations")).toEqual({ note: "x" });
    await unexport([amber], "g5");
    await noImport(birch, "g5");
  });

  test("a gateway that starts again writes nothing, and answers as before", async () => {
    await exported("g6");
    const before = await importOf(birch, "g6", hasIp(GLOBAL));
    await annotate(amber, "g6", "global");
    const here = await importOf(amber, "g6", hasIp(GLOBAL));
    expect(ipOf(here)).toBe(ipOf(before));
    await scene.restart(birch);
    await answers(birch, "g6", ipOf(before));
    const after = await importOf(birch, "g6");
    expect(at(after, "metadata", "resourceVersion")).toBe(at(before, "metadata", "resourceVersion"));
    await unexport([amber], "g6");
    await noImport(birch, "g6");
  });
});

function ipOf(object: Fields): string {
  return String(at(object, "spec", "ips", 0));
}

function hasIp(pattern: RegExp): (object: Fields) => boolean {
  return (object) => pattern.test(ipOf(object)) && at(object, "status", "conditions") !== undefined;
}

/** annotate is a user's word; null takes it back. */
async function annotate({ user }: KubeMember, name: string, value: string | null): Promise<void> {
  const annotations = value === null ? {} : { [ASK]: value };
  await user.apply(RESOURCES.serviceImports, { metadata: { name, namespace: NAMESPACE, annotations } });
}

/** derivedNames are the Services of ours in a cluster. */
async function derivedNames({ user }: KubeMember): Promise<readonly string[]> {
  const services = await user.list(RESOURCES.services, NAMESPACE, "app.kubernetes.io/managed-by=meridian.io");
  return services.map((service) => String(at(service, "metadata", "name")));
}

/** fieldsOf is what a manager owns of an object. */
function fieldsOf(object: Fields, manager: string): unknown {
  const entries = (at(object, "metadata", "managedFields") ?? []) as readonly Fields[];
  return entries.filter((entry) => entry["manager"] === manager).map((entry) => entry["fieldsV1"]);
}

/** dig is the first address that a name answers; empty where there is none. */
async function dig({ dns }: KubeMember, name: string): Promise<string> {
  const argv = ["dig", `${name}.shop.svc.clusterset.local`, "--at", `127.0.0.1:${dns}`, "-o", "json"];
  return /"(\d+\.\d+\.\d+\.\d+)"/.exec((await say(argv)).out)?.[1] ?? "";
}

async function answers(member: KubeMember, name: string, ip: string): Promise<void> {
  const said = await eventually(async () => {
    const answer = await dig(member, name);
    return answer === ip ? ok(undefined) : err(`${name} in ${member.cluster} answers ${answer}, not ${ip}`);
  });
  if (!said.ok) throw new Error(said.error);
}

/** troubleOf waits until a gateway's status says something, and gives it. */
async function troubleOf({ data, cluster }: KubeMember, good: (text: string) => boolean): Promise<string> {
  const said = await eventually(async () => {
    const { out } = await say(["status", "--data", data, "-o", "json"]);
    return good(out) ? ok(out) : err(`${cluster}: ${out}`);
  });
  if (!said.ok) throw new Error(said.error);
  return said.value;
}
