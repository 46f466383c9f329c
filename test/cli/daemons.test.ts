import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "#lab";
import { openReceiver } from "../../src/life/testbed-receiver.ts";
import { folder, goodToken, isFree, type Said } from "./testbed.ts";
import {
  type BrokerPlace,
  brokerPlace,
  type Daemon,
  gatewayPlace,
  say,
  startDaemon,
  until,
  webService,
  writeManifest,
} from "./testbed-daemons.ts";

/** How daemons start, refuse to, stop and leave, as processes of their own. */

const READY = /"msg":"ready"/;
const [dir, remove] = folder();
const daemons: Daemon[] = [];
let brokerAt!: BrokerPlace;
let broker!: Daemon;

function start(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Daemon {
  const daemon = startDaemon(argv, env);
  daemons.push(daemon);
  return daemon;
}

const invite = async (): Promise<string> => (await say(["invite", "--data", brokerAt.data])).out.trim();
const status = async (data: string): Promise<Record<string, unknown> & { broker: { connected: boolean } }> =>
  JSON.parse((await say(["status", "--data", data, "-o", "json"])).out || "{}");

/** hold takes a TCP port for as long as the result lives. */
async function hold(): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port, [Symbol.asyncDispose]: close };
}

beforeAll(async () => {
  brokerAt = await brokerPlace(dir);
  broker = start(brokerAt.argv);
  await broker.line(READY);
}, 30_000);

afterAll(async () => {
  await Promise.all(daemons.map((daemon) => daemon.stop("SIGKILL")));
  remove();
}, 30_000);

describe("a port that another program has", () => {
  const refusal = (said: Said): string => said.err.trim().split("\n").at(-1) ?? "";

  test.each(["--listen", "--http"])("is exit code 1 of a broker, and names %s", async (flag) => {
    await using taken = await hold();
    const place = await brokerPlace(join(dir, `taken${flag}`));
    const at = flag === "--listen" ? place.port : place.http;
    const said = await say(place.argv.map((arg) => arg.replace(String(at), String(taken.port))));
    expect(said).toMatchObject({ code: 1, out: "" });
    expect(refusal(said)).toBe(`meridian: ${flag} 127.0.0.1:${taken.port} is taken`);
  });

  test("is exit code 1 of a gateway, and names --http", async () => {
    await using taken = await hold();
    const place = await gatewayPlace(dir, "larch");
    const argv = place.argv.map((arg) => arg.replace(String(place.http), String(taken.port)));
    const said = await say([...argv, "--join-token", await invite()]);
    expect(said).toMatchObject({ code: 1, out: "" });
    expect(refusal(said)).toBe(`meridian: --http 127.0.0.1:${taken.port} is taken`);
  });

  test("is exit code 1 of a gateway, and names --dns", async () => {
    const taken = createSocket("udp4").bind(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address();
    const place = await gatewayPlace(dir, "maple");
    const argv = place.argv.map((arg) => arg.replace(String(place.dns), String(port)));
    const said = await say([...argv, "--join-token", await invite()]);
    taken.close();
    expect(said).toMatchObject({ code: 1, out: "" });
    expect(refusal(said)).toMatch(
      new RegExp(`^meridian: --dns: cannot listen on 127\\.0\\.0\\.1:${port} .*taken by another`),
    );
  });
});

describe("a start that is refused", () => {
  test("through the program itself: one line for each fault, and nothing is made", async () => {
    const data = join(dir, "never");
    const port = await freePort();
    const said = await say([
      "broker",
      "--data",
      data,
      "--listen",
      `0.0.0.0:${port}`,
      "--supernet",
      "10.0.0.1/8",
      "--bogus",
    ]);
    expect(said).toEqual({
      code: 2,
      out: "",
      err: [
        "meridian: --bogus: unknown flag; -h lists those there are",
        "meridian: --supernet: 10.0.0.1/8 has host bits set; write 10.0.0.0/8",
        `meridian: --advertise is missing: --listen 0.0.0.0:${port} is no address that gateways can dial; give --advertise wss://HOST:PORT`,
        "",
      ].join("\n"),
    });
    expect(existsSync(data)).toBe(false);
    expect(await isFree(port)).toBe(true);
  });

  test("since nobody answers at the token's URL: exit code 1, and the token is not shown", async () => {
    const place = await gatewayPlace(dir, "aspen");
    writeFileSync(join(dir, "token"), goodToken());
    const { code, err } = await say([...place.argv, "--join-token-file", join(dir, "token")]);
    expect(code).toBe(1);
    expect(err).toMatch(/127\.0\.0\.1:9/);
    expect(err).not.toContain(goodToken().slice(5, 60));
  });

  test("since the data folder would lie below a file: exit code 2", async () => {
    writeFileSync(join(dir, "plain"), "");
    const place = await brokerPlace(dir);
    const said = await say(place.argv.map((arg) => arg.replace(brokerAt.data, join(dir, "plain/below"))));
    expect(said.code).toBe(2);
    expect(said.err).toBe(`meridian: --data: is a file, not a folder: ${dir}/plain\n`);
  });

  test("since the supernet is another than the store's: exit code 2", async () => {
    const place = await brokerPlace(join(dir, "fixed"));
    const first = start(place.argv);
    await first.line(READY);
    expect(await first.stop()).toBe(0);
    const said = await say([...place.argv, "--supernet", "241.0.0.0/8"]);
    expect(said).toMatchObject({ code: 2, out: "" });
    expect(said.err).toMatch(
      /^meridian: --supernet is fixed at 242\.0\.0\.0\/8 since the first start, and cannot become 241/m,
    );
  });
});

describe("a gateway", () => {
  test("starts again without a token, also while the broker is away, and leaves for good", async () => {
    const place = await gatewayPlace(dir, "cedar");
    writeManifest(place, "web.yaml", webService("web", "10.244.0.7"));
    const first = start([
      ...place.argv,
      "--join-token",
      await invite(),
      "--log-format",
      "text",
      "--log-level",
      "debug",
    ]);
    expect(await first.line(/ready/)).toMatch(/^\d\d:\d\d:\d\d\.\d{3} INFO +ready$/);
    expect(await first.stop("SIGINT")).toBe(0);
    expect(existsSync(join(place.data, "admin.sock"))).toBe(false);

    expect(await broker.stop()).toBe(0);
    const second = start(place.argv);
    await second.line(READY);
    expect((await status(place.data)).broker.connected).toBe(false);
    const told = await say(["leave", "--data", place.data]);
    expect(told).toMatchObject({ code: 1, out: "" });
    expect(told.err).toMatch(
      /^meridian: the broker was not told \(.*\); nothing was changed\. Try again, or give --force/,
    );

    broker = start(brokerAt.argv);
    await broker.line(READY);
    await until(
      () => status(place.data),
      (now) => now.broker.connected,
    );
    const left = await say(["leave", "--data", place.data]);
    expect(left).toEqual({ code: 0, out: "cluster cedar left; everything of it on this host is undone\n", err: "" });
    expect(await second.exited).toBe(0);
    expect(readdirSync(place.data)).toEqual(["lock"]);
    const again = await say([...place.argv]);
    expect(again.code).toBe(2);
    expect(again.err).toMatch(/^meridian: --join-token is missing: \S+identity\.json is not there/);
  }, 60_000);

  test("is not another cluster, nor another gateway, by the same identity", async () => {
    const place = await gatewayPlace(dir, "olive");
    const daemon = start([...place.argv, "--join-token", await invite()]);
    await daemon.line(READY);
    expect(await daemon.stop()).toBe(0);
    const other = place.argv.map((arg) => (arg === "olive" ? "rowan" : arg === "olive-1" ? "olive-2" : arg));
    const said = await say([...other]);
    expect(said.code).toBe(2);
    expect(said.err.split("\n")).toEqual([
      expect.stringMatching(
        /^meridian: --cluster: rowan, but \S+identity\.json is of cluster olive: give that, or another --data$/,
      ),
      expect.stringMatching(
        /^meridian: --name: olive-2, but \S+identity\.json serves only the gateway olive-1: give --name olive-1/,
      ),
      "",
    ]);
  }, 30_000);

  test("that is stopped before it is ready ends cleanly", async () => {
    const place = await gatewayPlace(dir, "hazel");
    await using silent = await hold(); // takes the connection, and never answers
    const { mintToken } = await import("#identity");
    const { expect: right, parseFingerprint } = await import("#values");
    const fingerprint = right(parseFingerprint(`sha256:${"0".repeat(64)}`));
    const { token } = mintToken({ url: `wss://127.0.0.1:${silent.port}`, fingerprint });
    const daemon = start([...place.argv, "--join-token", token.reveal()]);
    await until(async () => existsSync(join(place.data, "join.pending")), Boolean);
    expect(await daemon.stop()).toBe(0);
    expect(daemon.lines).toEqual([]);
  }, 30_000);
});

describe("a service manager", () => {
  test("hears once that a daemon serves, when its doors are open", async () => {
    const socket = join(dir, "notify");
    using manager = openReceiver(socket);
    const place = await brokerPlace(join(dir, "managed"));
    const daemon = start(place.argv, { NOTIFY_SOCKET: socket });
    const heard = await until(
      async () => (await daemon.line(READY)) && manager.next(),
      (text) => text !== null,
    );
    expect([heard, manager.next()]).toEqual(["READY=1", null]);
    expect((await say(["invite", "--data", place.data])).code).toBe(0);
    expect(await daemon.stop()).toBe(0);
  });
});

describe("help", () => {
  test("--version prints the version alone, and -h of every verb one real example", async () => {
    expect(await say(["--version"])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      err: "",
    });
    const help = await say(["help", "gateway"]);
    expect(help).toMatchObject({ code: 0, err: "" });
    expect(help.out).toMatch(/Example:\n {2}meridian gateway --cluster amber /);
  });
});
