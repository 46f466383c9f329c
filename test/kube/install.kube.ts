import { createPrivateKey, createPublicKey } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Resource } from "#kube";
import { type ControlPlane, findKubeTools, type KubeClient, kubeClient, startControlPlane } from "#lab";
import { type BrokerPlace, brokerPlace, type Daemon, say, startDaemon } from "../cli/testbed-daemons.ts";

/** The installer against a real API server that has no nodes: everything but the pods, which test/nodes has. */

const tools = await findKubeTools();
if (!tools.ok) process.stderr.write(`skipped: ${tools.error}\n`);

const core = (kind: string, plural: string, namespaced = true): Resource => ({
  apiVersion: "v1",
  kind,
  plural,
  namespaced,
});
const [SECRETS, NODES, CONFIG_MAPS] = [
  core("Secret", "secrets"),
  core("Node", "nodes", false),
  core("ConfigMap", "configmaps"),
];
const COREFILE = ".:53 {\n    errors\n    reload\n}\n";

describe.skipIf(!tools.ok)("meridian install, where no pod runs", () => {
  const dir = mkdtempSync(join(tmpdir(), "meridian-install-"));
  let plane: ControlPlane;
  let user: KubeClient;
  let place: BrokerPlace;
  let broker: Daemon;

  beforeAll(async () => {
    if (!tools.ok) return;
    place = await brokerPlace(dir);
    broker = startDaemon(place.argv);
    await broker.line(/"ready"/);
    plane = await startControlPlane({ tools: tools.value, controllers: true });
    user = await kubeClient(plane.kubeconfig);
    await user.create(NODES, {
      metadata: { name: "node-1" },
      spec: { podCIDR: "10.244.0.0/24", podCIDRs: ["10.244.0.0/24"] },
    });
    await user.status(NODES, {
      metadata: { name: "node-1" },
      status: { conditions: [{ type: "Ready", status: "True" }] },
    });
    const metadata = { name: "coredns", namespace: "kube-system" };
    await user.create(CONFIG_MAPS, { metadata, data: { Corefile: COREFILE } });
  });
  afterAll(async () => {
    await broker?.stop();
    await plane?.down();
    rmSync(dir, { recursive: true, force: true });
  });

  const install = (...flags: readonly string[]) =>
    say(["install", "--kubeconfig", plane.kubeconfig, "--cluster", "amber", "--timeout", "10s", ...flags]);

  /** The identity as the cluster keeps it, by its parts. */
  async function secret(): Promise<Readonly<Record<string, { readonly privateKey: string }>>> {
    const found = await user.get(SECRETS, "meridian", "meridian-identity");
    const data = (found?.["data"] ?? {}) as Readonly<Record<string, string>>;
    return Object.fromEntries(
      Object.entries(data).map(([key, text]) => [key, JSON.parse(Buffer.from(text, "base64").toString("utf8"))]),
    );
  }

  const keyOf = (pem = ""): unknown => createPublicKey(createPrivateKey(pem)).export({ type: "spki", format: "pem" });

  test("without a token nothing joins, and it says what to give", async () => {
    const { code, err } = await install();
    expect(code).toBe(1);
    expect(err).toMatch(/identity: --join-token is missing: give --join-token-file FILE/);
    expect(await secret()).toEqual({});
  });

  test("cut off before the broker was reached, it goes on later with the same key", async () => {
    const token = join(dir, "token");
    writeFileSync(token, (await say(["invite", "--data", place.data, "--cluster", "amber"])).out, { mode: 0o600 });
    await broker.stop();
    const away = await install("--join-token-file", token);
    expect(away.code).toBe(1);
    expect(away.err).toMatch(new RegExp(`identity: .*127\\.0\\.0\\.1:${place.port}`));
    const { "join.pending": pending, ...rest } = await secret();
    expect(rest).toEqual({});
    broker = startDaemon(place.argv);
    await broker.line(/"ready"/);
    const back = await install("--join-token-file", token);
    expect(back.err).toContain("identity: amber has joined\n");
    const kept = await secret();
    expect(Object.keys(kept)).toEqual(["identity.json"]);
    expect(keyOf(kept["identity.json"]?.privateKey)).toEqual(keyOf(pending?.privateKey));
  });

  test("where no pod comes up it says so, and what the pods say", async () => {
    const { code, err } = await install();
    expect(code).toBe(1);
    expect(err).toContain("identity: amber is a member\ngateway nodes: node-1\n");
    expect(err).toMatch(/meridian: daemons: meridian-gateway: after 10 s: 0 of 1 ready/);
  });

  test("the broker holds no index for whoever came to join", async () => {
    const { out } = await say(["ipam", "list", "--data", place.data, "-o", "json"]);
    const kinds = (JSON.parse(out) as readonly { readonly kind: string }[]).map(({ kind }) => kind);
    expect(kinds.sort()).toEqual(["nodes", "pods"]);
    const { "identity.json": identity } = await secret();
    expect(identity).toMatchObject({ cluster: "amber", gateway: null });
  });

  test("a node that is not there is refused by name", async () => {
    const { code, err } = await install("--gateway-node", "node-9");
    expect(code).toBe(1);
    expect(err).toMatch(/gateway nodes: there is no node node-9: the cluster has node-1\n$/);
  });

  test("a second installation in another namespace is refused", async () => {
    const { code, err } = await install("--namespace", "nets");
    expect(code).toBe(1);
    expect(err).toMatch(/it is installed in the namespace meridian: give --namespace meridian\n$/);
  });

  test("--dry-run prints what kubectl takes, and asks nobody", async () => {
    const { code, out } = await say(["install", "--cluster", "amber", "--dry-run", "-o", "json"]);
    expect(code).toBe(0);
    const { items } = JSON.parse(out) as { readonly items: readonly { readonly kind: string }[] };
    expect(items.map(({ kind }) => kind)).toContain("DaemonSet");
    expect(items.map(({ kind }) => kind)).not.toContain("Secret");
  });

  test("uninstall without any node that was cleaned says which it waits for; the rest is undone by then", async () => {
    const call = ["uninstall", "--kubeconfig", plane.kubeconfig, "--timeout", "10s"];
    const { code, err } = await say(call);
    expect(code).toBe(1);
    expect(err).toContain("membership: amber has left\n");
    expect(err).toMatch(/meridian: nodes: meridian-uninstall: after 10 s/);
    const { out } = await say(["ipam", "list", "--data", place.data, "-o", "json"]);
    const live = (JSON.parse(out) as readonly { readonly state: string }[]).filter(({ state }) => state === "live");
    expect(live).toEqual([]);
  });
});
