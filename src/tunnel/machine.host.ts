import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { silentLog, systemClock, Troubles } from "#life";
import { chooseDataPlane } from "./data-plane.ts";
import { type Host, Testbed, WIREGUARD_GO } from "./testbed.ts";
import { createTunnels } from "./tunnels.ts";

/** What the room asks of a real machine, each by a script of its own inside a host of the testbed. */
let bed: Testbed;
let host: Host;

beforeAll(async () => {
  bed = await Testbed.open();
  host = await bed.host();
});

afterAll(async () => {
  await bed.close();
});

const ROOM = new URL("./index.ts", import.meta.url).href;
const SYSCTLS = new URL("./sysctls.ts", import.meta.url).href;
const LIFE = new URL("../life/index.ts", import.meta.url).href;

/** evaluate runs an expression over the room's front door on the host and gives its JSON. */
async function evaluate(expression: string, ...wrap: readonly string[]): Promise<unknown> {
  const script = `import * as room from "${ROOM}"; console.log(JSON.stringify(await (${expression})))`;
  return JSON.parse(await host.run(...wrap, process.execPath, "--input-type=module", "-e", script));
}

const ask = (mode: string, go: string | null, path = "/usr/sbin:/usr/bin"): string =>
  `room.chooseDataPlane(${JSON.stringify({ mode, wireguardGo: go, path })})`;

describe("chooseDataPlane()", () => {
  test("takes the wireguard-go that it is given, and says its version", async () => {
    const chosen = { mode: "userspace", implementation: WIREGUARD_GO, version: expect.stringMatching(/^0\.0\.2/) };
    expect(await evaluate(ask("userspace", WIREGUARD_GO))).toEqual({ ok: true, value: chosen });
  });

  test("leaves no throw-away link behind", async () => {
    expect(await evaluate(ask("auto", WIREGUARD_GO))).toMatchObject({ ok: true });
    expect(await host.run("ip", "-o", "link")).not.toContain("mrd");
  });

  test("says in one line what a process without CAP_NET_ADMIN lacks", async () => {
    const dropped = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"];
    expect(await evaluate(ask("auto", WIREGUARD_GO), ...dropped)).toEqual({
      ok: false,
      error: "missing: CAP_NET_ADMIN; run as root, or give the container the capability NET_ADMIN",
    });
  });

  test("says which wireguard-go cannot be run", async () => {
    const error = "--wireguard-go /no/such/program: /no/such/program is not installed";
    expect(await evaluate(ask("userspace", "/no/such/program"))).toEqual({ ok: false, error });
  });
});

test("underlayOf() finds link, MTU and source of a way", async () => {
  await host.run("ip", "link", "set", "eth0", "mtu", "1400");
  const value = { link: "eth0", mtu: 1400, source: host.ip };
  expect(await evaluate("room.underlayOf('172.31.77.9')")).toEqual({ ok: true, value });
  expect(await evaluate("room.underlayMtu('172.31.77.9')")).toEqual({ ok: true, value: 1400 });
  expect(await evaluate("room.underlayMtu('fd88::1')")).toMatchObject({ ok: false });
});

test("localLinks() finds the bridge of the node's own pods", async () => {
  await host.run("ip", "link", "add", "cni0", "type", "bridge");
  await host.run("ip", "addr", "add", "10.244.0.1/24", "dev", "cni0");
  await host.run("ip", "link", "set", "cni0", "up");
  expect(await evaluate("room.localLinks(['10.244.0.0/16'])")).toEqual({ ok: true, value: ["cni0"] });
});

test("watchRoutes() yields at the start and after a change, and ends with its signal", async () => {
  // The change is made at each yield but the last, so none of them can come without the one before.
  const seen = await evaluate(`(async () => {
    const { execFileSync } = await import("node:child_process");
    const { systemClock } = await import("${LIFE}");
    const stop = new AbortController();
    let yields = 0;
    for await (const _ of room.watchRoutes(stop.signal, systemClock)) {
      if (++yields === 4) stop.abort();
      else execFileSync("ip", ["route", "replace", "blackhole", "192.0.2." + yields]);
    }
    return yields;
  })()`);
  expect(seen).toBe(4);
});

describe("Sysctls", () => {
  const sysctls = (work: string): string => `(async () => {
    const { Sysctls } = await import("${SYSCTLS}");
    const sysctls = new Sysctls("${host.dataDir}");
    return ${work};
  })()`;
  const NAME = "net/ipv4/fib_multipath_hash_policy";
  const value = async (): Promise<string> => (await host.run("cat", `/proc/sys/${NAME}`)).trim();

  test("restore() brings back what was before the first change, not before the last", async () => {
    await host.run("sysctl", "-qw", "net.ipv4.fib_multipath_hash_policy=2");
    expect(await evaluate(sysctls(`sysctls.set("${NAME}", "1")`))).toEqual({ ok: true, value: null });
    expect(await evaluate(sysctls(`sysctls.set("${NAME}", "0")`))).toEqual({ ok: true, value: null });
    expect(await value()).toBe("0");
    expect(await evaluate(sysctls("sysctls.restore()"))).toEqual({ ok: true, value: null });
    expect(await value()).toBe("2");
    expect(await host.run("ls", host.dataDir)).not.toContain("sysctl.json");
  });

  test("restore() passes over a link that is gone", async () => {
    await host.run("ip", "link", "add", "v9.1", "type", "veth", "peer", "name", "v9p");
    expect(await evaluate(sysctls('sysctls.set("net/ipv4/conf/v9.1/rp_filter", "2")'))).toMatchObject({ ok: true });
    await host.run("ip", "link", "del", "v9.1");
    expect(await evaluate(sysctls("sysctls.restore()"))).toEqual({ ok: true, value: null });
  });

  test("set() says which setting there is not", async () => {
    const error = expect.stringMatching(/^sysctl net\/ipv4\/nothing=1: ENOENT/);
    expect(await evaluate(sysctls('sysctls.set("net/ipv4/nothing", "1")'))).toEqual({ ok: false, error });
  });
});

test("in mode none nothing is touched, and everything answers", async () => {
  const plane = await chooseDataPlane({ mode: "none", wireguardGo: null, path: "" });
  if (!plane.ok) throw new Error(plane.error);
  const options = { dataDir: "/nowhere", log: silentLog, clock: systemClock, troubles: new Troubles() };
  const tunnels = createTunnels({ ...options, dataPlane: plane.value });
  expect(await tunnels.read()).toMatchObject({ ok: true, value: { mode: "none" } });
  expect(await tunnels.apply([{ kind: "destroy", index: 0 }])).toEqual({ ok: true, value: 1 });
  expect(await tunnels.status()).toEqual({ ok: true, value: [] });
  expect(await tunnels.teardown()).toEqual({ ok: true, value: null });
  const stop = new AbortController();
  const running = tunnels.run(stop.signal);
  stop.abort();
  await running;
});
