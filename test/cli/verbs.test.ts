import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { freePort } from "#lab";
import {
  brokerStatusShape,
  diagnoseShape,
  explainShape,
  ipamListShape,
  statusShape,
  whoisShape,
} from "./status-shape.ts";
import { folder, type Said } from "./testbed.ts";
import {
  type BrokerPlace,
  brokerPlace,
  type Daemon,
  type GatewayPlace,
  gatewayPlace,
  say,
  startDaemon,
  until,
  webService,
  writeManifest,
} from "./testbed-daemons.ts";

/** The verbs as users call them, on a broker and two gateways that are processes of their own: amber and birch, with
 *  the same addresses, amber exporting shop/web. */

const NAME = "web.shop.svc.clusterset.local";
const READY = /"msg":"ready"/;
const TOKEN = /^mrd1\.[A-Za-z0-9_-]+\n$/;
const [dir, remove] = folder();
const daemons: Daemon[] = [];
let brokerAt!: BrokerPlace;
let amber!: GatewayPlace;
let birch!: GatewayPlace;
let broker!: Daemon;
let amberDaemon!: Daemon;

/** start begins a daemon that is stopped after the file, whatever happens. */
function start(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Daemon {
  const daemon = startDaemon(argv, env);
  daemons.push(daemon);
  return daemon;
}

const ask = (at: { readonly data: string }, ...argv: readonly string[]): Promise<Said> =>
  say([...argv, "--data", at.data]);
const read = async <T>(shape: z.ZodType<T>, at: { readonly data: string }, ...argv: readonly string[]): Promise<T> => {
  const said = await ask(at, ...argv, "-o", "json");
  expect(said.err).toBe("");
  return shape.parse(JSON.parse(said.out));
};
const invite = async (...flags: readonly string[]): Promise<string> =>
  (await ask(brokerAt, "invite", ...flags)).out.trim();

beforeAll(async () => {
  [brokerAt, amber, birch] = await Promise.all([
    brokerPlace(dir),
    gatewayPlace(dir, "amber"),
    gatewayPlace(dir, "birch"),
  ]);
  broker = start(brokerAt.argv);
  await broker.line(READY);
  writeManifest(amber, "web.yaml", webService("web", "10.244.0.7"));
  const token = await invite("--uses", "2");
  amberDaemon = start([...amber.argv, "--join-token", token]);
  const birchDaemon = start(birch.argv, { MERIDIAN_JOIN_TOKEN: token });
  await Promise.all([amberDaemon.line(READY), birchDaemon.line(READY)]);
  await until(
    () => read(statusShape, birch, "status"),
    ({ imports }) => imports.length > 0,
  );
}, 60_000);

afterAll(async () => {
  await Promise.all(daemons.map((daemon) => daemon.stop("SIGKILL")));
  remove();
}, 30_000);

describe("status", () => {
  test("of a gateway has the promised fields and no others", async () => {
    const status = await read(statusShape, amber, "status");
    expect(status).toMatchObject({
      role: "gateway",
      cluster: "amber",
      name: "amber-1",
      stateAgeSeconds: 0,
      broker: { url: `wss://127.0.0.1:${brokerAt.port}`, connected: true },
      dataPlane: { mode: "none", implementation: null, version: null },
      peers: [{ cluster: "birch", name: "birch-1", index: 0, interface: "mrd0", up: false, handshakeAgeSeconds: null }],
      exports: [{ namespace: "shop", name: "web", type: "ClusterSetIP", endpoints: 1 }],
      imports: [{ namespace: "shop", name: "web", type: "ClusterSetIP", clusters: ["amber"], stale: false }],
      troubles: [],
    });
    expect(status.exports[0]?.address).toMatch(/^242\.(19[2-9]|2\d\d)\./);
  });

  test("of a broker has them, too, and counts members and sessions", async () => {
    const status = await read(brokerStatusShape, brokerAt, "status");
    expect(status).toMatchObject({ role: "broker", cluster: null, members: 2, sessions: 2, peers: [], troubles: [] });
  });

  test("is a table for people", async () => {
    const { code, out } = await ask(amber, "status");
    expect(code).toBe(0);
    expect(out).toMatch(/^role +cluster +name +version/);
    expect(out).toMatch(/broker +wss:\/\/127\.0\.0\.1:\d+ connected\n/);
    expect(out).toMatch(/export +shop\/web +ClusterSetIP +242\.\S+ +1 endpoints\n/);
    expect(out).toContain("no troubles\n");
  });

  test("of nobody is exit code 1 and says what to look at", async () => {
    const { code, out, err } = await say(["status", "--data", join(dir, "nobody")]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toBe(
      `meridian: no meridian daemon answers at ${dir}/nobody/admin.sock: is it running, and is --data its folder?\n`,
    );
    expect(existsSync(join(dir, "nobody"))).toBe(false);
  });

  test("finds the daemon by the environment and by the daemon's own configuration", async () => {
    expect((await say(["status"], { MERIDIAN_DATA: amber.data })).code).toBe(0);
  });

  test("goes by a socket that only its owner may open", () => {
    expect(statSync(join(amber.data, "admin.sock")).mode & 0o777).toBe(0o600);
    expect(statSync(amber.data).mode & 0o777).toBe(0o700);
  });
});

describe("invite", () => {
  test("prints one token and nothing else", async () => {
    const said = await ask(brokerAt, "invite", "--cluster", "cedar", "--ttl", "1h");
    expect(said).toEqual({ code: 0, out: expect.stringMatching(TOKEN), err: "" });
    const json = JSON.parse((await ask(brokerAt, "invite", "-o", "json")).out) as Record<string, unknown>;
    expect(json).toMatchObject({ token: expect.stringMatching(/^mrd1\./), uses: 1 });
    expect(json).not.toHaveProperty("hash");
  });

  test("reaches a broker by its admin API and a token file", async () => {
    const url = `http://127.0.0.1:${brokerAt.http}`;
    const said = await say(["invite", "--broker", url, "--token-file", join(brokerAt.data, "admin.token")]);
    expect(said).toEqual({ code: 0, out: expect.stringMatching(TOKEN), err: "" });
  });

  test("with a wrong admin token is exit code 1, and does not show it", async () => {
    const url = `http://127.0.0.1:${brokerAt.http}`;
    const wrong = join(brokerAt.data, "ca.crt");
    const { code, out, err } = await say(["invite", "--broker", url, "--token-file", wrong]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(/^meridian: .*credential/i);
    expect(err).not.toContain("BEGIN");
  });

  test("without a broker says how to have one", async () => {
    const gone = await say(["invite", "--data", join(dir, "nobody")]);
    expect(gone.err).toMatch(
      /^meridian: no broker answers at \S+: start one with `meridian broker`, give its --data, or/,
    );
    const gateway = await ask(amber, "invite");
    expect(gateway.err).toBe(`meridian: the daemon of ${amber.data} is no broker: give its --data\n`);
    const port = await freePort();
    const away = await say([
      "invite",
      "--broker",
      `http://127.0.0.1:${port}`,
      "--token-file",
      join(brokerAt.data, "admin.token"),
    ]);
    expect(away.err).toBe(`meridian: nothing answers at http://127.0.0.1:${port}\n`);
    expect([gone.code, gateway.code, away.code]).toEqual([1, 1, 1]);
  });
});

describe("explain", () => {
  test("says why a name answers", async () => {
    const found = await read(explainShape, birch, "explain", NAME);
    expect(found.answer).toEqual([expect.stringMatching(/^242\./)]);
    expect(found.reason).toContain("amber");
    const text = await ask(birch, "explain", NAME);
    expect(text.code).toBe(0);
    expect(text.out).toMatch(/^web\.shop\.svc\.clusterset\.local: 242\.\S+\n[^\n]+\n\nSTAGE +SUBJECT +VERDICT +WHY\n/);
  });

  test("says who an address is", async () => {
    const { answer } = await read(explainShape, birch, "explain", NAME);
    const found = await read(explainShape, birch, "explain", answer[0] ?? "");
    expect(found.answer).toEqual(["the service address of shop/web"]);
  });

  test.each([
    ["a name that nobody exports", `nope.shop.svc.clusterset.local`, "no member exports it"],
    ["a name of elsewhere", "www.example.com", "names are <service>.<namespace>.svc.clusterset.local"],
    ["an address of nobody", "242.77.0.1", "242.77.0.1 belongs to nobody in the clusterset"],
  ])("%s is exit code 1 with the reason", async (_what, question, reason) => {
    const said = await ask(birch, "explain", question, "-o", "json");
    expect(said.code).toBe(1);
    const found = explainShape.parse(JSON.parse(said.out));
    expect(found).toMatchObject({ answer: [], reason: expect.stringContaining(reason) });
  });
});

describe("ipam", () => {
  test("list shows whose each prefix is, the same at the broker and in every member", async () => {
    const [here, there, authority] = [
      await read(ipamListShape, amber, "ipam", "list"),
      await read(ipamListShape, birch, "ipam", "list"),
      await read(ipamListShape, brokerAt, "ipam", "list"),
    ];
    const bare = (rows: typeof here): readonly string[] =>
      rows.map(({ cluster, kind, prefix, name }) => `${cluster} ${kind} ${prefix} ${name}`).sort();
    expect(bare(here)).toEqual(bare(there));
    expect(bare(here)).toEqual(bare(authority));
    expect(
      here
        .filter(({ kind }) => kind === "pods")
        .map(({ cluster, local }) => `${cluster} ${local}`)
        .sort(),
    ).toEqual(["amber 10.244.0.0/16", "birch 10.244.0.0/16"]);
  });

  test("whois names owner and local address", async () => {
    const rows = await read(ipamListShape, amber, "ipam", "list");
    const pods = rows.find(({ cluster, kind }) => cluster === "birch" && kind === "pods")?.prefix ?? "";
    const address = pods.replace(/\.0\.0\/16$/, ".3.7");
    const wanted = { address, cluster: "birch", kind: "pods", local: "10.244.3.7" };
    expect(await read(whoisShape, amber, "ipam", "whois", address)).toMatchObject(wanted);
    expect(await read(whoisShape, brokerAt, "ipam", "whois", address)).toMatchObject(wanted);
    const table = await ask(amber, "ipam", "whois", address);
    expect(table.out).toMatch(/^ADDRESS +KIND +CLUSTER +LOCAL/);
  });

  test("whois of nobody's address is exit code 1", async () => {
    for (const at of [amber, brokerAt]) {
      const said = await ask(at, "ipam", "whois", "242.77.0.1");
      expect(said).toEqual({ code: 1, out: "", err: expect.stringContaining("242.77.0.1 belongs to nobody") });
    }
  });
});

describe("bench", () => {
  test("without a tunnel is exit code 1 and says so", async () => {
    const said = await ask(amber, "bench", "--duration", "1s");
    expect(said).toEqual({ code: 1, out: "", err: "meridian: there is no peer to measure: no tunnel is set up yet\n" });
  });

  test("of an unknown peer says where they are listed", async () => {
    const { code, err } = await ask(amber, "bench", "--peer", "zinc");
    expect({ code, err }).toEqual({ code: 1, err: "meridian: there is no peer zinc: status lists them\n" });
  });
});

describe("diagnose", () => {
  test("gives every check a verdict and a reason, and a remedy where one is needed", async () => {
    const said = await ask(amber, "diagnose", "-o", "json");
    const checks = diagnoseShape.parse(JSON.parse(said.out));
    expect(checks.map(({ check, verdict }) => `${check} ${verdict}`)).toEqual(
      expect.arrayContaining(["broker pass", "names pass", "data plane skip"]),
    );
    expect(checks.filter(({ verdict, remedy }) => verdict !== "pass" && verdict !== "skip" && remedy === null)).toEqual(
      [],
    );
    expect(said.code).toBe(checks.some(({ verdict }) => verdict === "fail") ? 1 : 0);
  });
});

describe("a verb for gateways", () => {
  test.each([["explain", NAME], ["bench"], ["diagnose"], ["drain"], ["leave"]])(
    "%s says so to a broker",
    async (...argv) => {
      const said = await ask(brokerAt, ...argv);
      expect(said).toEqual({
        code: 1,
        out: "",
        err: `meridian: the daemon of ${brokerAt.data} is no gateway: give the --data of one\n`,
      });
    },
  );
});

describe("a daemon", () => {
  test("that is started twice on one folder refuses and names the other", async () => {
    const twice = await say([...amber.argv]);
    expect(twice).toEqual({
      code: 1,
      out: "",
      err: `meridian: another meridian (pid ${amberDaemon.child.pid}) holds ${amber.data}\n`,
    });
    const { argv } = await brokerPlace(dir);
    expect((await say([...argv])).err).toBe(
      `meridian: another meridian (pid ${broker.child.pid}) holds ${brokerAt.data}\n`,
    );
  });

  test("shows no secret to /proc, /healthz or its log", async () => {
    const token = readFileSync(join(brokerAt.data, "admin.token"), "utf8").trim();
    const page = await fetch(`http://127.0.0.1:${amber.http}/v1/status`);
    expect(page.status).toBe(200);
    const said = [...daemons.flatMap(({ lines }) => lines), await page.text()].join("\n");
    expect(said).not.toContain(token);
    expect(said).not.toMatch(/mrd1\.|PRIVATE KEY/);
  });

  test("logs JSON lines where stderr is no terminal", () => {
    for (const line of amberDaemon.lines)
      expect(JSON.parse(line)).toMatchObject({
        level: expect.any(String),
        time: expect.any(String),
        msg: expect.any(String),
      });
  });
});

test("the shapes refuse what is not promised", () => {
  expect(whoisShape.safeParse({ address: "242.1.0.1" }).success).toBe(false);
  expect(z.strictObject({}).safeParse({ more: 1 }).success).toBe(false);
});
