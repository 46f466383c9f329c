import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadLive } from "#kube";
import {
  type ControlPlane,
  eventually,
  findKubeTools,
  freePort,
  type KubeClient,
  kubeClient,
  startControlPlane,
} from "#lab";
import { err, ok } from "#values";
import { type Daemon, say, startDaemon } from "../cli/testbed-daemons.ts";

/** `meridian dns` over a live cluster: the responder alone, beside any implementation of the Multi-Cluster Services API. */

const { RESOURCES } = await loadLive();
const tools = await findKubeTools();
if (!tools.ok) process.stderr.write(`skipped: ${tools.error}\n`);
const IMPORTS = 700;

describe.skipIf(!tools.ok)("meridian dns --kubeconfig", () => {
  let plane: ControlPlane;
  let user: KubeClient;
  const daemons: Daemon[] = [];
  const dir = mkdtempSync(join(tmpdir(), "meridian-kube-dns-"));

  const write = (name: string, ip: string): Promise<unknown> =>
    user.apply(RESOURCES.serviceImports, {
      metadata: { name, namespace: "shop" },
      spec: { type: "ClusterSetIP", ips: [ip], ports: [{ name: "http", port: 80, protocol: "TCP" }] },
    });

  beforeAll(async () => {
    if (!tools.ok) return;
    plane = await startControlPlane({ tools: tools.value });
    user = await kubeClient(plane.kubeconfig);
    await user.installCrds();
    await user.create(RESOURCES.namespaces, { metadata: { name: "shop" } });
    for (let at = 0; at < IMPORTS; at += 1) await write(`web-${at}`, `10.1.${at >> 8}.${at & 255}`);
  });
  afterAll(async () => {
    for (const daemon of daemons) await daemon.stop();
    await plane?.down();
    rmSync(dir, { recursive: true, force: true });
  });

  async function serve(): Promise<(name: string) => Promise<string>> {
    const port = await freePort();
    const daemon = startDaemon(["dns", "--kubeconfig", plane.kubeconfig, "--dns", `127.0.0.1:${port}`]);
    daemons.push(daemon);
    await daemon.line(/"ready"/);
    return async (name) => {
      const { out } = await say([
        "dig",
        `${name}.shop.svc.clusterset.local`,
        "--at",
        `127.0.0.1:${port}`,
        "-o",
        "json",
      ]);
      return out;
    };
  }

  test("once it is ready it answers every import, those of the last page too", async () => {
    const ask = await serve();
    for (const at of [0, 499, 500, IMPORTS - 1])
      expect(await ask(`web-${at}`)).toContain(`10.1.${at >> 8}.${at & 255}`);
  });

  test("an import that is written, changed and deleted", async () => {
    const ask = await serve();
    const until = (wanted: RegExp) =>
      eventually(async () => {
        const out = await ask("late");
        return wanted.test(out) ? ok(out) : err(out);
      });
    await write("late", "10.2.0.1");
    expect((await until(/10\.2\.0\.1/)).ok).toBe(true);
    await write("late", "10.2.0.2");
    expect((await until(/10\.2\.0\.2/)).ok).toBe(true);
    await user.remove(RESOURCES.serviceImports, "shop", "late");
    expect((await until(/NXDOMAIN/)).ok).toBe(true);
  });

  test("a context that is not in the file is refused at the start, with those that are", async () => {
    const said = await say(["dns", "--kubeconfig", plane.kubeconfig, "--context", "other"]);
    expect(said).toMatchObject({ code: 2, out: "" });
    expect(said.err).toBe('meridian: --context: it has no context "other"; it has: lab\n');
  });
});
