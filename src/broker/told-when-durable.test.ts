import { describe, expect, test } from "vitest";
import type { LogDisk } from "#store";
import { brokerRoutes } from "./routes.ts";
import { TestBroker } from "./testbed.ts";
import { gateway, member } from "./testbed-gateway.ts";

/** HeldDisk ends no sync while it is held. */
class HeldDisk {
  #held: (() => void)[] | null = null;

  readonly put = (real: LogDisk): LogDisk => ({
    sync: (done) =>
      real.sync((error) => {
        if (this.#held === null) done(error);
        else this.#held.push(() => done(error));
      }),
    syncNow: () => real.syncNow(),
    close: () => real.close(),
  });

  hold(): void {
    this.#held = [];
  }

  /** waits resolves when a sync would have ended. */
  async waits(): Promise<void> {
    while (this.#held?.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const end of held) end();
  }
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const late = new Promise((resolve) => setTimeout(resolve, 50, "late"));
  return (await Promise.race([promise.then(() => "settled"), late])) === "settled";
}

describe("while the disk has not got it", () => {
  test("a publication is neither acknowledged nor told, and both afterwards", async () => {
    const disk = new HeldDisk();
    await using broker = await TestBroker.open({ disk: disk.put });
    await using amber = await member(broker, "amber");
    await using basalt = await member(broker, "basalt");
    const before = basalt.batches.length;
    disk.hold();
    const answer = amber.publish(amber.says({ web: amber.address() }));
    await disk.waits();
    expect(await isSettled(answer)).toBe(false);
    expect(basalt.batches).toHaveLength(before);
    disk.release();
    expect(await answer).toMatchObject({ ok: true });
    await basalt.until(() => basalt.catalogue.members.get(amber.cluster)?.exports.has("shop/web"));
  });

  test("nobody is welcomed, and no first state shows it", async () => {
    const disk = new HeldDisk();
    await using broker = await TestBroker.open({ disk: disk.put });
    const token = broker.invite();
    await broker.broker.desk.settled();
    disk.hold();
    await using amber = gateway(broker, { cluster: "amber", token });
    const joining = amber.live();
    await expect.poll(() => broker.broker.book.catalogue.live()).toHaveLength(1); // decided
    expect(await isSettled(joining)).toBe(false); // and not told
    disk.release();
    await joining;
    expect(amber.welcome?.generation).toBe(1);
  });

  test("no join token is shown, and no answer of the admin socket", async () => {
    const disk = new HeldDisk();
    await using broker = await TestBroker.open({ disk: disk.put });
    await broker.broker.desk.settled();
    disk.hold();
    const route = brokerRoutes(broker.broker).find(({ path }) => path === "/v1/invites");
    const answer = route?.handle({ query: {}, body: { ttlSeconds: 60, uses: 1 } } as never) as Promise<unknown>;
    await disk.waits();
    expect(await isSettled(answer)).toBe(false);
    disk.release();
    expect(await answer).toMatchObject({ ok: true });
  });
});
