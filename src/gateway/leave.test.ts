import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { err, ok, type Result, type Revision } from "#values";
import type { Envelope } from "#wire";
import { forget, tellBroker, undo } from "./leave.ts";
import { candidatesOf, catalogueOf } from "./testbed.ts";
import { type Composed, composed } from "./testbed-gateway.ts";

const CLUSTER = { gateway: false, force: false };
const ONE = { gateway: true, force: false };
let made: Composed;
let told: (Envelope | null)[];
let answer: Result<Revision, { code: string; message: string }>;

beforeEach(async () => {
  made = composed();
  told = [];
  answer = ok(1 as Revision);
  const leave = async (record: Envelope | null) => {
    told.push(record);
    return answer;
  };
  Object.assign(made.gateway.client, { leave });
  await made.hears(...made.amber.joined());
});
afterEach(() => {
  made.gateway.cache.close();
  rmSync(made.dir, { recursive: true });
});

describe("tellBroker()", () => {
  test("sends a leave that every member believes", async () => {
    expect((await tellBroker(made.gateway, CLUSTER)).ok).toBe(true);
    const [record] = told as [Envelope];
    const catalogue = catalogueOf(...made.amber.joined());
    expect(catalogue.apply(candidatesOf(record)).refusals).toEqual([]);
    expect(catalogue.members.get(made.amber.cluster)?.gone).toBe("left");
    expect(JSON.parse(record.body).leftAt).toBe(made.clock.now());
  });

  test("of one gateway needs no signature: the cluster stays", async () => {
    await tellBroker(made.gateway, ONE);
    expect(told).toEqual([null]);
  });

  test("gives the broker's reason", async () => {
    answer = err({ code: "broker-away", message: "the broker cannot be reached now" });
    expect(await tellBroker(made.gateway, CLUSTER)).toEqual(err("the broker cannot be reached now"));
  });

  test("has nothing to say after a leave whose answer was lost", async () => {
    await made.hears(made.amber.leave());
    expect((await tellBroker(made.gateway, CLUSTER)).ok).toBe(true);
    expect(told).toEqual([]);
  });

  test("is an error for who is no member", async () => {
    const stranger = composed();
    expect(await tellBroker(stranger.gateway, CLUSTER)).toEqual(err("this cluster is no member"));
    stranger.gateway.cache.close();
    rmSync(stranger.dir, { recursive: true });
  });
});

describe("undo()", () => {
  const planeOf = (log: string[], fault?: string) => ({
    tunnels: {
      teardown: async () => {
        log.push("tunnels");
        return fault === undefined ? ok(null) : err(fault);
      },
    },
    globalnet: {
      teardown: async () => {
        log.push("tables");
        return ok(undefined);
      },
    },
  });

  test("takes the tunnels down before the translation: nothing leaves untranslated", async () => {
    const log: string[] = [];
    expect((await undo({ ...made.gateway, plane: planeOf(log) } as never)).ok).toBe(true);
    expect(log).toEqual(["tunnels", "tables"]);
  });

  test("leaves the translation while tunnels are left", async () => {
    const log: string[] = [];
    expect(await undo({ ...made.gateway, plane: planeOf(log, "mrd0 is left") } as never)).toEqual(err("mrd0 is left"));
    expect(log).toEqual(["tunnels"]);
  });

  test("has nothing to do without a data plane", async () => {
    expect((await undo(made.gateway)).ok).toBe(true);
  });
});

describe("forget()", () => {
  const files = ["identity.json", "tunnel.key", "join.pending", "cache.db"];
  const left = (): readonly string[] => files.filter((name) => existsSync(join(made.dir, name)));
  beforeEach(() => {
    for (const name of files.slice(0, 3)) writeFileSync(join(made.dir, name), "x");
  });

  test("removes what only this membership needed", async () => {
    await forget(made.gateway, CLUSTER);
    expect(left()).toEqual([]);
  });

  test("keeps the identity when only one gateway goes: the others use it", async () => {
    await forget(made.gateway, ONE);
    expect(left()).toEqual(["identity.json"]);
  });
});
