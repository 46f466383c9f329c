import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  createRun,
  eventually,
  exec,
  findNodeTools,
  installIn,
  type KubeCluster,
  type KubeSet,
  listAllocations,
  mustExec,
  pageFrom,
  type Run,
  raiseKubeSet,
  sweepRun,
  uninstallIn,
} from "#lab";
import { err, expect as must, ok, type Result } from "#values";
import { renderClient, renderNamespace, renderShop } from "../../demo/kube-objects.ts";
import { buildImage } from "../../deploy/image/build-image.ts";

const tools = await findNodeTools();
if (!tools.ok) process.stderr.write(`skipped: ${tools.error}\n`);

const WEB = "http://web.shop.svc.clusterset.local/hostname";
const NEXT = { file: "meridian-next.tar", tag: "meridian:next", version: "0.1.1-next" } as const;
const say = (): void => {};

describe.skipIf(!tools.ok)("install and uninstall, in two real clusters", () => {
  let run: Run;
  let set: KubeSet;
  let before: readonly string[];

  beforeAll(async () => {
    if (!tools.ok) return;
    run = await createRun();
    set = await raiseKubeSet(run, tools.value, must(await buildImage(say)));
    before = await everything(set.amber);
    must(await installIn(set, set.amber));
    must(await installIn(set, set.birch));
    await apply(set.amber, [renderNamespace(), renderShop("web", 2)]);
    await apply(set.birch, [renderNamespace(), renderClient()]);
    await set.birch.kubectl(["wait", "-n", "shop", "--for=condition=Ready", "pod/client", "--timeout=60s"], WAIT);
    must(await pageFrom(set.birch, "client", WEB));
  });
  afterAll(async () => {
    if (run !== undefined) await sweepRun(run);
  });

  test("the gateways run with NET_ADMIN alone, a read-only root, and nothing privileged", async () => {
    const [pod = ""] = await gateways(set.amber);
    const status = must(
      await set.amber.execIn(pod, ["sh", "-c", "while read k v; do echo $k $v; done < /proc/self/status"], IN),
    );
    expect(status).toMatch(/^CapEff: 0000000000001000$/m);
    expect(status).toMatch(/^NoNewPrivs: 1$/m);
    expect(status).toMatch(/^Seccomp: 2$/m);
    const written = await set.amber.execIn(pod, ["sh", "-c", ": > /opt/meridian/x"], IN);
    expect(written).toMatchObject({ ok: false, error: expect.stringContaining("Read-only file system") });
  });

  test("installed again, nothing changes: no pod is new, and the token is not redeemed", async () => {
    const pods = await gateways(set.amber);
    const said = must(await installIn(set, set.amber));
    expect(said).toContain("identity: amber is a member");
    expect(said).toContain("(as it is to be)");
    expect(await gateways(set.amber)).toEqual(pods);
  });

  test("another cluster's name is refused, and changes nothing", async () => {
    const pods = await gateways(set.amber);
    const refused = await installIn(set, set.amber, [], "cedar");
    expect(refused).toMatchObject({ ok: false, error: expect.stringContaining("is of cluster amber, not cedar") });
    expect(await gateways(set.amber)).toEqual(pods);
  });

  test("an upgrade, with the old version in the other cluster, loses no request", async () => {
    await set.amber.importImage(must(await buildImage(say, NEXT)));
    const load = startLoad(set.birch, WEB);
    must(await installIn(set, set.amber, ["--image", NEXT.tag]));
    await set.birch.execIn("client", ["sleep", "5"], { ...SHOP, timeoutMs: 10_000 });
    const { asked, failed } = await load.end();
    process.stderr.write(`upgrade: ${failed.length} of ${asked} requests failed ${failed.slice(0, 3).join("; ")}\n`);
    expect(failed).toEqual([]);
    expect(asked).toBeGreaterThan(50);
    const versions = await Promise.all([set.amber, set.birch].map(versionOf));
    expect(versions).toEqual([NEXT.version, "0.1.0"]);
  });

  test("uninstalled, it leaves nothing: no object, no label, no link, no rule, no file", async () => {
    must(await uninstallIn(set, set.amber, ["--with-exports"]));
    await set.amber.kubectl(["delete", "namespace", "shop", "--timeout=60s"], WAIT);
    expect(await everything(set.amber)).toEqual(before);
    for (const node of set.amber.nodes) {
      const look = "ip -br link; nft list tables; ip rule; ip route show table all proto 77; ip nexthop";
      expect(await mustExec(node, ["sh", "-c", look])).not.toMatch(/mrd|meridian|proto 77|\b77\d\d:/);
      expect((await exec(node, ["ls", `/proc/${node.init}/root/var/lib/meridian`])).ok).toBe(false);
    }
    const corefile = await set.amber.kubectl(["get", "-n", "kube-system", "configmap", "coredns", "-o", "yaml"]);
    expect(corefile).not.toContain("clusterset");
    const live = (await listAllocations(set.broker)).filter(
      (entry) => entry.cluster === "amber" && entry.state === "live",
    );
    expect(live).toEqual([]);
    const gone = await eventually(() => noImport(set.birch));
    expect(gone).toEqual(ok(undefined));
  });

  test("uninstalled again, nothing happens", async () => {
    expect(must(await uninstallIn(set, set.amber))).toContain("everything is gone");
  });

  test("installed again, it works as before", async () => {
    must(await installIn(set, set.amber));
    await apply(set.amber, [renderNamespace(), renderShop("web", 2)]);
    expect(must(await pageFrom(set.birch, "client", WEB))).toMatch(/^web-/);
  });
});

const COMPONENT = "app.kubernetes.io/component=gateway";
const WAIT = { timeoutMs: 70_000 };
const SHOP = { namespace: "shop" };
const IN = { namespace: "meridian", container: "gateway" };

async function apply(cluster: KubeCluster, objects: readonly string[]): Promise<void> {
  await cluster.kubectl(["apply", "-f", "-"], { stdin: objects.join("---\n") });
}

/** The gateways' pods by name: one that was made anew has another. */
async function gateways(cluster: KubeCluster): Promise<readonly string[]> {
  const names = await cluster.kubectl([
    "get",
    "-n",
    "meridian",
    "pods",
    "-l",
    COMPONENT,
    "-o",
    "jsonpath={.items[*].metadata.name}",
  ]);
  return names.split(" ").sort();
}

async function versionOf(cluster: KubeCluster): Promise<string> {
  const [pod = ""] = await gateways(cluster);
  const said = must(await cluster.execIn(pod, ["meridian", "status", "-o", "json"], IN));
  return (JSON.parse(said) as { readonly version: string }).version;
}

/** everything is what an installation could leave, by name. */
async function everything(cluster: KubeCluster): Promise<readonly string[]> {
  const kinds = "crd,namespace,clusterrole,clusterrolebinding,role,rolebinding,daemonset,service,secret,configmap,pdb";
  const objects = await cluster.kubectl(["get", kinds, "-A", "-o", "name"]);
  const labels = await cluster.kubectl(["get", "nodes", "-o", "jsonpath={.items[*].metadata.labels}"]);
  return [...objects.trim().split("\n").sort(), labels];
}

async function noImport(cluster: KubeCluster): Promise<Result<void>> {
  const left = await cluster.kubectl(["get", "-n", "shop", "serviceimports,endpointslices", "-o", "name"]);
  return left.trim() === "" ? ok(undefined) : err(left);
}

/** startLoad fetches a page ten times a second, each by a new connection, until it is ended. */
function startLoad(cluster: KubeCluster, url: string) {
  const script = `while [ ! -e /tmp/end ]; do curl -s -o /dev/null --max-time 2 ${url} && echo ok || echo "failed $?"; sleep 0.1; done`;
  const going = cluster.execIn("client", ["sh", "-c", `rm -f /tmp/end; ${script}`], { ...SHOP, timeoutMs: 300_000 });
  return {
    async end(): Promise<{ readonly asked: number; readonly failed: readonly string[] }> {
      must(await cluster.execIn("client", ["touch", "/tmp/end"], SHOP));
      const lines = must(await going)
        .trim()
        .split("\n");
      return { asked: lines.length, failed: lines.filter((line) => line !== "ok") };
    },
  };
}
