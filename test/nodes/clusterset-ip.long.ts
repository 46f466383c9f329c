import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  createRun,
  eventually,
  exec,
  findNodeTools,
  IMAGES,
  installIn,
  type KubeCluster,
  type KubeNode,
  type KubeSet,
  mustExec,
  pageFrom,
  processesIn,
  type Run,
  raiseKubeSet,
  sweepRun,
} from "#lab";
import { err, expect as must, ok, type Result } from "#values";
import { renderClient, renderNamespace, renderShop } from "../../demo/kube-objects.ts";
import { buildImage } from "../../deploy/image/build-image.ts";

/** The service address as the clusterset IP of amber's imports, by packets: on the node of its gateway, and on its other
 *  node, whose table is made by the `node` role. Amber exports `own`, birch `web`. */

const tools = await findNodeTools();
if (!tools.ok) process.stderr.write(`skipped: ${tools.error}\n`);

const WEB = "web.shop.svc.clusterset.local";
const OWN = "own.shop.svc.clusterset.local";
const GLOBAL = /^242\.(19[2-9]|2[0-5]\d)\.\d+\.\d+$/;
const SHOP = { namespace: "shop" };
const RAISED_WITHIN_MS = 600_000;
const WAIT = { timeoutMs: 130_000 };
/** What keeps a node from its API server: packets to its port go nowhere. */
const CUT =
  "table inet cut { chain out { type filter hook output priority 10; tcp dport 6443 drop; }; chain on { type filter hook forward priority 10; tcp dport 6443 drop; }; }";

describe.skipIf(!tools.ok)("the service address as clusterset IP, in two real clusters", () => {
  let run: Run;
  let set: KubeSet;
  let near: KubeNode;
  let far: KubeNode;
  let web: string;

  beforeAll(async () => {
    if (!tools.ok) return;
    run = await createRun();
    set = await raiseKubeSet(run, tools.value, must(await buildImage(() => {})));
    must(await installIn(set, set.amber, ["--gateway-node", "amber-1", "--clusterset-ip", "global"]));
    must(await installIn(set, set.birch));
    await apply(set.birch, [renderNamespace(), renderShop("web", 1)]);
    const clients = [renderClient("near", "amber-1"), renderClient("far", "amber-2")];
    await apply(set.amber, [renderNamespace(), renderOwn(), ...clients]);
    await set.birch.kubectl(
      ["wait", "-n", "shop", "--for=condition=Available", "deployment/web", "--timeout=120s"],
      WAIT,
    );
    await set.amber.kubectl(
      [
        "wait",
        "-n",
        "shop",
        "--for=condition=Ready",
        "pod/near",
        "pod/far",
        "pod/own-1",
        "pod/own-2",
        "--timeout=120s",
      ],
      WAIT,
    );
    [near, far] = set.amber.nodes as [KubeNode, KubeNode];
    must(await pageFrom(set.amber, "far", `http://${WEB}/hostname`));
    web = await dig(set.amber, WEB);
  }, RAISED_WITHIN_MS);
  afterAll(async () => {
    if (run !== undefined) await sweepRun(run);
  });

  test("the name answers the service address, and there is no derived Service", async () => {
    expect(web).toMatch(GLOBAL);
    const ips = ["get", "-n", "shop", "serviceimport", "web", "-o", "jsonpath={.spec.ips[*]}"];
    expect(await set.amber.kubectl(ips)).toBe(web);
    const services = await set.amber.kubectl(["get", "-n", "shop", "services", "-o", "name"]);
    expect(services).not.toContain("derived-");
  });

  test.each(["near", "far"])(
    "a pod of each node reaches it by name, seen by its own global address: %s",
    async (pod) => {
      expect(must(await pageFrom(set.amber, pod, `http://${WEB}/hostname`))).toMatch(/^web-/);
      const local = await set.amber.kubectl(["get", "-n", "shop", "pod", pod, "-o", "jsonpath={.status.podIP}"]);
      const [, , ...host] = local.split(".");
      const client = must(await pageFrom(set.amber, pod, `http://${WEB}/clientip`));
      expect(client).toMatch(new RegExp(`^242\\.\\d+\\.${host.join("\\.")}:`));
    },
  );

  test("so does a process of each node, seen by its node's global address", async () => {
    for (const node of [near, far]) {
      expect(await page(node, web)).toMatch(/^web-/);
      expect(await mustExec(node, ["curl", "-s", "-m", "3", `http://${web}/clientip`])).toMatch(/^242\.0\.\d+\.\d+:/);
    }
  });

  test("the own cluster's endpoints are pods, which may be their own clients", async () => {
    const own = await dig(set.amber, OWN);
    expect(own).toMatch(GLOBAL);
    for (const [pod, container] of [
      ["own-1", "client"],
      ["own-2", "client"],
      ["far", "client"],
    ] as const) {
      const seen = new Set<string>();
      for (let asked = 0; asked < 40 && seen.size < 2; asked += 1) {
        const get = ["curl", "-s", "-m", "3", `http://${own}/hostname`];
        seen.add(must(await set.amber.execIn(pod, get, { ...SHOP, container })));
      }
      expect([...seen].sort(), pod).toEqual(["own-1", "own-2"]);
    }
    const here = await set.amber.kubectl(["get", "-n", "shop", "pod", "own-2", "-o", "jsonpath={.status.podIP}"]);
    const hairpin = await mustExec(far, ["nft", "list", "set", "ip", "meridian", "hairpin"]);
    expect(hairpin.match(/\d+\.\d+\.\d+\.\d+/g)).toEqual([here, here]);
  });

  test("no request is lost when the clusterset IP of an import changes, one way and back", async () => {
    const load = startLoad(set.amber, "far", `http://${WEB}/hostname`);
    const annotate = (value: string) =>
      set.amber.kubectl(["annotate", "-n", "shop", "serviceimport", "web", `meridian.io/clusterset-ip${value}`]);
    await annotate("=derived");
    expect(await eventually(() => answers(/^10\.96\./))).toEqual(ok(undefined));
    expect(await page(far, web)).toMatch(/^web-/); // clients that remember
    const gone = await eventually(
      async () => {
        const got = await exec(far, ["curl", "-s", "-m", "1", "-o", "/dev/null", `http://${web}/hostname`]);
        return got.ok ? err("the old address still works") : ok(undefined);
      },
      { timeoutMs: 30_000, everyMs: 500 },
    );
    expect(gone).toEqual(ok(undefined));
    const derived = await dig(set.amber, WEB);
    await annotate("-");
    expect(await eventually(() => answers(GLOBAL))).toEqual(ok(undefined));
    expect(await page(far, derived)).toMatch(/^web-/);
    const { asked, failed } = await load.end();
    process.stderr.write(`changes: ${failed.length} of ${asked} requests failed ${failed.slice(0, 3).join("; ")}\n`);
    expect(failed).toEqual([]);
    expect(asked).toBeGreaterThan(50);
  });

  test("a service that is new is reached from the other node as soon as its name answers", async () => {
    const refused: string[] = [];
    for (let at = 0; at < 5; at += 1) {
      const name = `new-${at}`;
      const script = `until ip=$(dig +short +tries=1 +time=1 ${name}.shop.svc.clusterset.local | grep ^242); do :; done; curl -s -m 3 -o /dev/null http://$ip/hostname || echo refused`;
      const asking = set.amber.execIn("far", ["sh", "-c", script], { ...SHOP, timeoutMs: 60_000 });
      await apply(set.birch, [renderExported(name, "web")]);
      const said = must(await asking).trim();
      if (said !== "") refused.push(name);
    }
    process.stderr.write(`new names: ${refused.length} of 5 were answered before their packets could go\n`);
    expect(refused).toEqual([]);
  });

  test("without its API server the node goes on, and over a restart of its daemon, too", async () => {
    await mustExec(far, ["nft", "-f", "-"], { stdin: CUT });
    try {
      const [pid] = await daemons();
      if (pid === undefined) throw new Error("no daemon runs on the node");
      process.kill(pid, "SIGKILL");
      const back = await eventually(
        async () => {
          const now = await daemons();
          return now.length > 0 && !now.includes(pid) ? ok(undefined) : err(`daemons ${now.join()}`);
        },
        { timeoutMs: 60_000 },
      );
      expect(back).toEqual(ok(undefined));
      const until = performance.now() + 8000; // it reconciles within a moment of its start
      let asked = 0;
      while (performance.now() < until) {
        expect(await page(far, web)).toMatch(/^web-/);
        asked += 1;
      }
      expect(asked).toBeGreaterThan(20);
    } finally {
      await mustExec(far, ["nft", "delete", "table", "inet", "cut"]);
    }
    expect(await eventually(() => hears(1), { timeoutMs: 60_000 })).toMatchObject({ ok: true });
  });

  async function daemons(): Promise<readonly number[]> {
    const pids = await processesIn(far.pid, "node-MainThread");
    const isNode = await Promise.all(pids.map(async (pid) => (await argvOf(pid)).includes("node")));
    return pids.filter((_, at) => isNode[at]);
  }

  /** Whether the node's daemon has heard of services: of as many ports at least. */
  async function hears(least: number): Promise<Result<number>> {
    const name = [
      "get",
      "-n",
      "meridian",
      "pods",
      "-l",
      "app.kubernetes.io/component=node",
      "-o",
      "jsonpath={.items[0].metadata.name}",
    ];
    const pod = await set.amber.kubectl(name);
    const said = await set.amber.execIn(pod, ["meridian", "status", "-o", "json"], { namespace: "meridian" });
    if (!said.ok) return said;
    const { services } = JSON.parse(said.value) as { readonly services: number | null };
    return services !== null && services >= least ? ok(services) : err(`it has ${services}`);
  }

  async function answers(wanted: RegExp): Promise<Result<void>> {
    const said = await dig(set.amber, WEB);
    return wanted.test(said) ? ok(undefined) : err(`${WEB} is ${said}`);
  }
});

async function apply(cluster: KubeCluster, objects: readonly string[]): Promise<void> {
  await cluster.kubectl(["apply", "-f", "-"], { stdin: objects.join("---\n") });
}

/** renderOwn is a server on each of amber's nodes, beside a client in the same pod, behind an exported Service. */
function renderOwn(): string {
  const pods = [1, 2].map((number) => {
    const server = `{name: server, image: "${IMAGES.agnhost}", imagePullPolicy: Never, args: [netexec, "--http-port=8080"]}`;
    return `apiVersion: v1
kind: Pod
metadata: {name: own-${number}, namespace: shop, labels: {app: own}}
spec:
  nodeName: amber-${number}
  terminationGracePeriodSeconds: 0
  containers: [${server}, {name: client, image: "${IMAGES.net}", imagePullPolicy: Never}]
`;
  });
  return [...pods, renderExported("own", "own")].join("---\n");
}

/** renderExported is an exported Service over some pods. */
function renderExported(name: string, app: string): string {
  return `apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {selector: {app: ${app}}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: multicluster.x-k8s.io/v1beta1
kind: ServiceExport
metadata: {name: ${name}, namespace: shop}
`;
}

async function dig(cluster: KubeCluster, name: string): Promise<string> {
  return must(await cluster.execIn("far", ["dig", "+short", "+time=2", name], SHOP)).trim();
}

function page(node: KubeNode, address: string): Promise<string> {
  return mustExec(node, ["curl", "-s", "-m", "3", `http://${address}/hostname`]);
}

async function argvOf(pid: number): Promise<readonly string[]> {
  return (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
}

/** startLoad fetches a page ten times a second, each by a new connection and by name, until it is ended. */
function startLoad(cluster: KubeCluster, pod: string, url: string) {
  const script = `while [ ! -e /tmp/end ]; do curl -s -o /dev/null -m 3 ${url} && echo ok || echo "failed $?"; sleep 0.1; done`;
  const going = cluster.execIn(pod, ["sh", "-c", `rm -f /tmp/end; ${script}`], { ...SHOP, timeoutMs: 300_000 });
  return {
    async end(): Promise<{ readonly asked: number; readonly failed: readonly string[] }> {
      must(await cluster.execIn(pod, ["touch", "/tmp/end"], SHOP));
      const lines = must(await going)
        .trim()
        .split("\n");
      return { asked: lines.length, failed: lines.filter((line) => line !== "ok") };
    },
  };
}
