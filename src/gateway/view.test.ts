import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { expect as must } from "#values";
import type { CompiledService } from "./compile-service.ts";
import { exportBody, ip, TestMember } from "./testbed.ts";
import { type Composed, composed } from "./testbed-gateway.ts";
import { mayAnnounce, networkNow, ownPlace, serviceNow, statementNow } from "./view.ts";

const birch = new TestMember("birch", 2);
let made: Composed;
let reach: string[];

beforeEach(async () => {
  reach = [];
  made = composed({ endpoint: { host: ip("172.31.0.11"), port: null } }, reach);
  await made.hears(...made.amber.joined(), ...birch.joined(), ...birch.says({ web: exportBody("web", ["242.2.0.1"]) }));
  Object.defineProperty(made.gateway.reconciler, "network", { value: {} });
});
afterEach(() => {
  made.gateway.cache.close();
  rmSync(made.dir, { recursive: true });
});

/** The service as it is compiled now. */
function web(): CompiledService {
  const service = serviceNow(made.gateway, "shop/web");
  return must(service === undefined ? { ok: false, error: "nobody exports it" } : { ok: true, value: service });
}

describe("mayAnnounce()", () => {
  test("holds a new service back while nobody who exports it is reached, though not for long", async () => {
    expect(web().stale).toBe(true);
    expect(mayAnnounce(made.gateway, web())).toBe(false);
    await made.clock.pass(2900);
    expect(mayAnnounce(made.gateway, web())).toBe(false);
    await made.clock.pass(200);
    expect(mayAnnounce(made.gateway, web())).toBe(true);
  });

  test("lets it go as soon as a way is up", () => {
    expect(mayAnnounce(made.gateway, web())).toBe(false);
    reach.push("birch");
    expect(mayAnnounce(made.gateway, web())).toBe(true);
  });

  test("what was withdrawn and comes again is held back again", async () => {
    mayAnnounce(made.gateway, web());
    await made.clock.pass(3100);
    expect(mayAnnounce(made.gateway, web())).toBe(true);
    expect(mayAnnounce(made.gateway, web())).toBe(false);
  });

  test("answers at once what was served before this start", () => {
    made.gateway.session.fromDisk.add("shop/web");
    expect(mayAnnounce(made.gateway, web())).toBe(true);
  });

  test("waits for the network, and asks for none without a data plane", () => {
    reach.push("birch");
    expect(mayAnnounce({ ...made.gateway, reconciler: { network: undefined } } as never, web())).toBe(false);
    expect(mayAnnounce({ ...made.gateway, plane: null }, web())).toBe(true);
  });
});

describe("the view", () => {
  test("serviceNow() counts every member as reachable without a data plane", () => {
    expect(serviceNow({ ...made.gateway, plane: null }, "shop/web")?.stale).toBe(false);
    expect(serviceNow(made.gateway, "shop/none")).toBeUndefined();
  });

  test("ownPlace() is what this gateway was granted", () => {
    expect(ownPlace(made.gateway)?.node).toBe("242.0.1.1");
  });

  test("statementNow() has nothing to say without manifests", () => {
    expect(statementNow(made.gateway, "nodes/amber")).toBeUndefined();
  });

  test("networkNow() is undefined until the broker has told the supernet", async () => {
    expect(await networkNow(made.gateway)).toBeUndefined();
  });
});
