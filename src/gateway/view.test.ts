import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { expect as must } from "#values";
import type { CompiledService } from "./compile-service.ts";
import { exportBody, grant, ip, serviceGrant, TestMember } from "./testbed.ts";
import { type Composed, composed } from "./testbed-gateway.ts";
import { mayAnnounce, networkNow, newsCompiler, ownPlace, serviceNow, statementsNow } from "./view.ts";

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
    expect(mayAnnounce(made.gateway, web())).toBe("later");
    await made.clock.pass(2900);
    expect(mayAnnounce(made.gateway, web())).toBe("later");
    await made.clock.pass(200);
    expect(mayAnnounce(made.gateway, web())).toBe("now");
  });

  test("lets it go as soon as a way is up", () => {
    expect(mayAnnounce(made.gateway, web())).toBe("later");
    reach.push("birch");
    expect(mayAnnounce(made.gateway, web())).toBe("now");
  });

  test("what was withdrawn and comes again is held back again", async () => {
    mayAnnounce(made.gateway, web());
    await made.clock.pass(3100);
    expect(mayAnnounce(made.gateway, web())).toBe("now");
    expect(mayAnnounce(made.gateway, web())).toBe("later");
  });

  test("answers at once what was served before this start", () => {
    made.gateway.session.fromDisk.add("shop/web");
    expect(mayAnnounce(made.gateway, web())).toBe("now");
  });

  test("waits for the network, and asks for none without a data plane", () => {
    reach.push("birch");
    expect(mayAnnounce({ ...made.gateway, reconciler: { network: undefined } } as never, web())).toBe("later");
    expect(mayAnnounce({ ...made.gateway, plane: null }, web())).toBe("now");
  });
});

describe("newsCompiler()", () => {
  const compile = () => newsCompiler(made.gateway)("shop/web", []);

  test("leaves a new service until it has its address, though not for long: then its name exists, and is empty", async () => {
    expect(compile()).toBe("later");
    await made.clock.pass(3100);
    expect(compile()).toMatchObject({ address: null, zone: { addresses: [] } });
  });

  test("compiles it as soon as the address is granted", async () => {
    expect(compile()).toBe("later");
    await made.hears(grant(serviceGrant("web", "242.192.0.7")));
    expect(compile()).toMatchObject({ address: "242.192.0.7" });
  });

  test("a headless one waits for none, and neither does one that is served", async () => {
    await made.hears(...birch.says({ web: exportBody("web", ["242.2.0.1"], { type: "Headless" }) }));
    expect(compile()).toMatchObject({ address: null });
    await made.hears(...birch.says({ web: exportBody("web", ["242.2.0.1"]) }));
    made.gateway.reconciler.markServices(["shop/web"]);
    expect(compile()).toBe("later");
    (made.gateway.reconciler.served as Map<string, unknown>).set("shop/web", {});
    expect(compile()).toMatchObject({ address: null });
  });

  test("is undefined where nobody exports the name", () => {
    expect(newsCompiler(made.gateway)("shop/none", [])).toBeUndefined();
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

  test("statementsNow() has nothing to say without manifests", () => {
    expect(statementsNow(made.gateway)("nodes/amber")).toBeUndefined();
  });

  test("networkNow() is undefined until the broker has told the supernet", async () => {
    expect(await networkNow(made.gateway)).toBeUndefined();
  });
});
