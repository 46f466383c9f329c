import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { explain } from "./explain.ts";
import { exportBody, grant, serviceGrant, TestMember } from "./testbed.ts";
import { type Composed, composed } from "./testbed-gateway.ts";
import { localExport, manifestsOf } from "./testbed-manifests.ts";

const ZONE = "shop.svc.clusterset.local";
const birch = new TestMember("birch", 2);
const cedar = new TestMember("cedar", 3);
let near: Composed;
let far: Composed;

/** All services are in force; `reach` says to which members a way is up. */
async function served(reach: readonly string[] | undefined): Promise<Composed> {
  const made = composed({}, reach);
  await made.hears(
    ...made.amber.joined(),
    ...birch.joined(),
    ...cedar.joined(),
    grant(serviceGrant("web", "242.192.0.7")),
  );
  const db = exportBody("db", ["242.2.0.1"], { type: "Headless" });
  await made.hears(
    ...birch.says({ web: exportBody("web", ["242.2.0.9"]), db, wait: exportBody("wait", ["242.2.0.8"]) }),
  );
  await made.hears(...cedar.says({ web: exportBody("web", ["242.3.0.9"], { sessionAffinity: "ClientIP" }) }));
  Object.assign(made.gateway.reconciler, { announced: (key: string) => key !== "shop/held" });
  made.gateway.session.zoneSynced = true;
  return made;
}

beforeAll(async () => {
  birch.says({});
  near = await served(["birch", "cedar"]);
});
afterAll(() => {
  for (const made of [near, far]) {
    made?.gateway.cache.close();
    if (made !== undefined) rmSync(made.dir, { recursive: true });
  }
});

const ask = (question: string, { gateway } = near) => explain(gateway, question);
const steps = (question: string, made = near) =>
  ask(question, made).steps.map(({ stage, subject, verdict, why }) => `${stage} ${subject}: ${verdict}, ${why}`);

describe("explain() of a name", () => {
  test("says what it answers and who exports it", () => {
    const { answer, reason } = ask(`web.${ZONE}`);
    expect(answer).toEqual(["242.192.0.7"]);
    expect(reason).toBe("ClusterSetIP exported by birch, cedar");
    expect(steps(`WEB.${ZONE}.`)).toContain("member birch: yes, 1 ready endpoints; a tunnel is up");
  });

  test("says how a member's pods are reached where that was asked for, and why not otherwise", async () => {
    const made = composed({}, ["maple", "cedar"]);
    const [maple, other] = [new TestMember("maple", 2), new TestMember("cedar", 3)];
    await made.hears(...made.amber.offering("10.1.0.0/16"), ...maple.offering("10.2.0.0/16"));
    await made.hears(...other.joined(), other.gateway());
    const db = exportBody("db", ["242.2.0.1"], { type: "Headless" });
    await made.hears(...maple.says({ db }), ...other.says({ db: exportBody("db", [], { type: "Headless" }) }));
    Object.assign(made.gateway.reconciler, { announced: () => true });
    expect(ask(`db.${ZONE}`, made).answer).toEqual(["10.2.0.1"]);
    expect(steps(`db.${ZONE}`, made).slice(0, 2)).toEqual([
      expect.stringMatching(
        /^member cedar: .*; globalnet: its pods by global addresses, since cedar has --globalnet on$/,
      ),
      "member maple: yes, 1 ready endpoints; a tunnel is up; direct: its pods by their own addresses",
    ]);
    expect(ask("10.2.0.1", made).answer).toEqual(["pod 10.2.0.1 of maple"]);
    made.gateway.cache.close();
    rmSync(made.dir, { recursive: true });
  });

  test("says which exports disagree", () => {
    expect(steps(`web.${ZONE}`).join("\n")).toMatch(/export SessionAffinityConflict: yes, /);
  });

  test("a headless name answers its endpoints, each of which has a name", () => {
    expect(ask(`db.${ZONE}`).answer).toEqual(["242.2.0.1"]);
    expect(ask(`db-0.birch.db.${ZONE}`).answer).toEqual(["242.2.0.1"]);
  });

  test.each([
    [`db-0.cedar.db.${ZONE}`, /no endpoint has this hostname in this cluster/],
    [`db-0.birch.x.db.${ZONE}`, /no endpoint has this hostname/],
    [`db-0.db.${ZONE}`, /no endpoint has this hostname/],
    [`web-0.birch.web.${ZONE}`, /only headless services have names for their endpoints/],
    [`_admin._tcp.web.${ZONE}`, /no port has this name and protocol/],
    [`_http._udp.web.${ZONE}`, /no port has this name and protocol/],
  ])("%s answers nothing, and says why", (question, why) => {
    expect(ask(question).answer).toEqual([]);
    expect(steps(question).join("\n")).toMatch(why);
  });

  test("a port's name answers port and target (RFC 2782): the service's, or each endpoint's", () => {
    expect(ask(`_http._tcp.web.${ZONE}`).answer).toEqual([`80 web.${ZONE}`]);
    expect(ask(`_http._tcp.db.${ZONE}`).answer).toEqual([`8080 db-0.birch.db.${ZONE}`]);
  });

  test("a service without an address waits for it", () => {
    expect(ask(`wait.${ZONE}`).answer).toEqual([]);
    expect(steps(`wait.${ZONE}`)).toContain("address -: waits, the broker has granted none yet: Pending");
  });

  test("says which member is left out, and that an answer is stale when all are", async () => {
    far = await served(["cedar"]);
    expect(steps(`web.${ZONE}`, far)).toContain("member birch: left out, 1 ready endpoints; no tunnel is up");
    expect(ask(`db.${ZONE}`, far)).toMatchObject({
      answer: ["242.2.0.1"],
      reason: expect.stringMatching(/no exporting member can be reached/),
    });
  });

  test("nobody exports it: all members are listed", () => {
    const { reason, answer } = ask(`none.${ZONE}`);
    expect([answer, reason]).toEqual([
      [],
      expect.stringMatching(/^shop\/none does not exist in the clusterset: no member/),
    ]);
    expect(steps(`none.${ZONE}`)).toContain("member birch: no, does not export it");
  });

  test.each([
    [{ service: null }, "web.yaml:3: ServiceExport without a Service of that name"],
    [{ type: "ExternalName" as const }, "web.yaml:3: a Service of type ExternalName cannot be exported"],
    [{}, "exported here, and not signed yet: the broker has not let this gateway speak"],
  ])("an export of the manifests that nobody sees has a reason (%j)", (change, why) => {
    const source = { current: () => manifestsOf([{ ...localExport("web", change), name: "mine" as never }]) };
    const gateway = { ...near.gateway, source } as never;
    expect(explain(gateway, `mine.${ZONE}`).reason).toContain(why);
  });

  test("before the catalogue is whole, what is not known may exist", () => {
    const gateway = { ...near.gateway, session: { ...near.gateway.session, zoneSynced: false } };
    expect(explain(gateway, `none.${ZONE}`).reason).toContain("SERVFAIL");
  });

  test.each(["web", "example.com", "svc.clusterset.local", `.${ZONE}.x`, ""])(
    "%j is no name of the zone",
    (question) => {
      expect(ask(question)).toMatchObject({
        answer: [],
        reason: "names are <service>.<namespace>.svc.clusterset.local",
      });
    },
  );
});

describe("explain() of an address", () => {
  test.each([
    ["242.2.3.7", "pod 10.244.3.7 of birch"],
    ["242.0.2.1", "node gw of birch"],
    ["242.192.0.7", "the service address of shop/web"],
  ])("%s is %s", (address, whose) => {
    expect(ask(address)).toMatchObject({ answer: [whose], reason: `${address} is ${whose}` });
  });

  test("one that is nobody's", () => {
    expect(ask("242.99.0.1")).toMatchObject({ answer: [], reason: "242.99.0.1 belongs to nobody in the clusterset" });
  });
});
