import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ok } from "#values";
import { statusOf } from "./status.ts";
import { exportBody, grant, serviceGrant, TestMember } from "./testbed.ts";
import { type Composed, composed } from "./testbed-gateway.ts";

const birch = new TestMember("birch", 2);
let made: Composed;
beforeEach(() => {
  made = composed();
});
afterEach(() => {
  made.gateway.cache.close();
  rmSync(made.dir, { recursive: true });
});

describe("statusOf()", () => {
  test("when nothing is known yet says so, with every field of the contract", async () => {
    expect(await statusOf(made.gateway)).toEqual({
      ...{ role: "gateway", cluster: "amber", name: "gw", version: "1", revision: null, stateAgeSeconds: null },
      broker: { url: null, connected: false },
      dataPlane: { mode: "none", implementation: null, version: null },
      ...{ peers: [], exports: [], imports: [], troubles: [] },
      loop: { maxDelaySeconds: expect.any(Number), p99DelaySeconds: expect.any(Number) },
    });
  });

  test("lists what this member exports, with its address once there is one", async () => {
    await made.hears(...made.amber.joined(), grant(serviceGrant("web", "242.192.0.7")));
    const [web, api] = [exportBody("web", ["242.1.0.1", "242.1.0.2"]), exportBody("api", [])];
    await made.hears(...made.amber.says({ web, api }));
    expect((await statusOf(made.gateway)).exports).toEqual([
      { namespace: "shop", name: "web", type: "ClusterSetIP", address: "242.192.0.7", endpoints: 2 },
      { namespace: "shop", name: "api", type: "ClusterSetIP", address: null, endpoints: 0 },
    ]);
    expect((await statusOf(made.gateway)).revision).toBe(2);
  });

  test("joins what the catalogue, the probes and WireGuard know of a peer", async () => {
    await made.hears(...made.amber.joined(), ...birch.joined(), birch.gateway());
    const { tunnelKey } = JSON.parse(birch.gateway().body);
    const heard = made.clock.now() - 20_000;
    const tunnel = { publicKey: tunnelKey, endpoint: { host: "198.51.100.2", port: 51_820 }, latestHandshake: heard };
    const tunnels = { status: async () => ok([{ interface: 0, ...tunnel, receivedBytes: 5, sentBytes: 7 }]) };
    const report = { id: "birch/gw", up: true, rttSeconds: 0.002, lossRatio: 0.1 };
    const gateway = { ...made.gateway, plane: { tunnels }, prober: { reports: () => [report] } } as never;
    expect((await statusOf(gateway)).peers).toEqual([
      {
        ...{
          cluster: "birch",
          name: "gw",
          index: 0,
          draining: false,
          interface: "mrd0",
          endpoint: "198.51.100.2:51820",
          mode: "globalnet",
          up: true,
        },
        ...{ handshakeAgeSeconds: 20, rttSeconds: 0.002, lossRatio: 0.1, receivedBytes: 5, sentBytes: 7 },
      },
    ]);
  });

  test("a peer whose pods are reached by their own addresses is direct", async () => {
    await made.hears(...made.amber.offering("10.1.0.0/16"), ...birch.offering("10.2.0.0/16"));
    expect((await statusOf(made.gateway)).peers.map(({ mode }) => mode)).toEqual(["direct"]);
  });

  test("a peer that nothing was heard of is down, and nothing is guessed", async () => {
    await made.hears(...made.amber.joined(), ...birch.joined(), birch.gateway());
    const [peer] = (await statusOf(made.gateway)).peers;
    expect(peer).toMatchObject({ up: false, endpoint: null, handshakeAgeSeconds: null, rttSeconds: null });
  });

  test("the age of the state is that of the broker's last word", async () => {
    Object.assign(made.gateway.session, { heardAt: made.clock.monotonic(), state: "dialing" });
    await made.clock.pass(30_000);
    expect((await statusOf(made.gateway)).stateAgeSeconds).toBe(30);
    Object.assign(made.gateway.session, { state: "live" });
    expect((await statusOf(made.gateway)).stateAgeSeconds).toBe(0);
  });

  test("a trouble names its subject", async () => {
    const trouble = { code: "x", severity: "warning", title: "T", subject: "a.yaml", detail: "line 3" } as const;
    made.gateway.troubles.set(trouble);
    expect((await statusOf(made.gateway)).troubles).toEqual([
      { code: "x", severity: "warning", title: "T", detail: "a.yaml: line 3" },
    ]);
  });
});
