import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createStatusHttp, type Route } from "#admin";
import { loadVerbs, type Verb } from "#cli";
import { silentLog, systemClock } from "#life";
import { err, ok } from "#values";
import { folder, meridian } from "./testbed.ts";

const VERBS = await loadVerbs();

/** Help, and what a verb does with the answers of a daemon. */

const named = (verb: Verb, name: string): readonly (readonly [string, Verb])[] => [
  [name, verb],
  ...(verb.verbs ?? []).flatMap((sub) => named(sub, `${name} ${sub.name}`)),
];
const every = VERBS.flatMap((verb) => named(verb, verb.name));

describe("help", () => {
  test.each(every)("of %s is on stdout, and its example is a call of it", async (name, verb) => {
    const said = await meridian([...name.split(" "), "-h"]);
    expect({ code: said.code, err: said.err }).toEqual({ code: 0, err: "" });
    expect(said.out).toContain(`Usage: meridian ${name} `);
    expect(said.out).toContain(`Example:\n  ${verb.example}\n`);
    expect(verb.example).toMatch(new RegExp(`^meridian ${name} `));
    for (const { flag } of verb.settings) expect(said.out).toContain(`--${flag}`);
  });

  test.each(every.filter(([, { verbs }]) => verbs === undefined))(
    "the example of %s has a right form",
    async (_, verb) => {
      const argv = verb.example.split(" ").slice(1);
      const { err: said } = await meridian([...argv, "--frobnicate"]);
      const form = said.split("\n").filter((line) => /unknown flag|needs a value|unexpected|given \d times/.test(line));
      expect(form).toEqual(["meridian: --frobnicate: unknown flag; -h lists those there are"]);
    },
  );

  test.each([["--help"], ["help"], ["-h"]])("%s lists the verbs", async (flag) => {
    const { code, out } = await meridian([flag]);
    expect(code).toBe(0);
    for (const { name } of VERBS) expect(out).toMatch(new RegExp(`^ {2}${name} `, "m"));
  });

  test("--version is the version alone", async () => {
    expect(await meridian(["--version"])).toEqual({ code: 0, out: "1.2.3\n", err: "" });
  });
});

describe("a verb and the daemon it asks", () => {
  const BENCH = {
    peer: "birch",
    name: "birch-1",
    samples: 100,
    lossRatio: 0,
    minSeconds: 0.001,
    p50Seconds: 0.002,
    p90Seconds: 0.003,
    p99Seconds: 0.004,
    maxSeconds: 0.005,
    jitterSeconds: 0.0001,
    bitsPerSecond: null,
  };
  const stop = { now: new AbortController() };
  let [dir, remove] = ["", (): void => {}];
  let running: Promise<void> = Promise.resolve();
  let asked: unknown = null;

  const daemon = async (...routes: readonly Route[]): Promise<void> => {
    const listen = { path: join(dir, "admin.sock") };
    const metrics = async (): Promise<string> => "";
    const room = createStatusHttp({ listen, routes, ready: () => null, metrics, clock: systemClock, log: silentLog });
    running = room.run(stop.now.signal);
    await room.started;
  };
  const bench: Route = {
    method: "POST",
    path: "/v1/bench",
    handle: async ({ body, progress }) => {
      asked = body;
      progress("measuring …");
      return ok([BENCH]);
    },
  };

  beforeEach(() => {
    [dir, remove] = folder();
    stop.now = new AbortController();
  });
  afterEach(async () => {
    stop.now.abort();
    await running;
    remove();
  });

  test("bench asks for what its flags say, and gives the promised JSON", async () => {
    await daemon(bench);
    const said = await meridian([
      "bench",
      "--data",
      dir,
      "-o",
      "json",
      "--peer",
      "birch",
      "--peer",
      "cedar",
      "--duration",
      "2s",
      "--throughput",
    ]);
    expect(said).toEqual({ code: 0, out: `${JSON.stringify([BENCH])}\n`, err: "" });
    expect(asked).toEqual({ peers: ["birch", "cedar"], durationMs: 2000, throughput: true });
  });

  test("bench tells its progress on a terminal, and its result is a table there", async () => {
    await daemon(bench);
    const said = await meridian(["bench", "--data", dir], { terminal: true });
    expect(said.err).toBe("measuring …\n");
    expect(said.out).toMatch(/^PEER +GATEWAY +SAMPLES +LOSS .*\nbirch +birch-1 +100 +0\.00 % +1\.000 ms +2\.000 ms /);
    expect(asked).toEqual({ peers: [], durationMs: 10_000, throughput: false });
  });

  test("leave tells the daemon whether it is the gateway alone, and by force", async () => {
    const handle: Route["handle"] = async ({ body }) => {
      asked = body;
      return ok({ message: "gone" });
    };
    await daemon({ method: "POST", path: "/v1/leave", handle });
    expect(await meridian(["leave", "--data", dir, "--gateway"])).toEqual({ code: 0, out: "gone\n", err: "" });
    expect(asked).toEqual({ gateway: true, force: false });
  });

  test("a refusal is exit code 1 with its reason alone", async () => {
    const handle: Route["handle"] = async () =>
      err({ code: "failed", message: "there is no peer\nmeridian: all is well" });
    await daemon({ method: "POST", path: "/v1/bench", handle });
    const said = await meridian(["bench", "--data", dir]);
    expect(said).toEqual({ code: 1, out: "", err: "meridian: there is no peer\\nmeridian: all is well\n" });
  });

  test("status is exit code 1 while a trouble is critical, and diagnose while a check fails", async () => {
    const trouble = { code: "dns-down", severity: "critical", title: "t", detail: "d" };
    const check = { check: "names", verdict: "fail", reason: "r", remedy: "m" };
    await daemon(
      { method: "GET", path: "/v1/status", handle: async () => ok({ troubles: [trouble] }) },
      { method: "GET", path: "/v1/diagnose", handle: async () => ok([check]) },
    );
    expect((await meridian(["status", "--data", dir, "-o", "json"])).code).toBe(1);
    expect(await meridian(["diagnose", "--data", dir])).toEqual({
      code: 1,
      out: "VERDICT  CHECK  REASON  REMEDY\nfail     names  r       m\n",
      err: "",
    });
  });

  test("a signal ends a verb that waits, with exit code 1", async () => {
    const waiting = Promise.withResolvers<void>();
    const server: Server = createServer(() => waiting.resolve()).listen(join(dir, "admin.sock"));
    const signal = new AbortController();
    const said = meridian(["status", "--data", dir], { signal: signal.signal });
    await waiting.promise;
    signal.abort();
    expect(await said).toEqual({ code: 1, out: "", err: "meridian: stopped by a signal before it was done\n" });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  test("an answer that is no answer is a fault of the program, told without ending it otherwise", async () => {
    await daemon({ method: "GET", path: "/v1/status", handle: async () => ok({}) });
    const said = await meridian(["status", "--data", dir]);
    expect(said.code).toBe(1);
    expect(said.err).toMatch(/^meridian: a fault of the program itself: TypeError/);
  });
});
