import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "vitest";
import { FakeDesk } from "./fake-desk.ts";
import { Refused } from "./problem.ts";
import { RefusalLog } from "./refusal-log.ts";
import { ManualClock } from "./testbed.ts";

const why = new Refused("unauthorized", "the token is not known");

function asked(url: string, remoteAddress: string | undefined = "192.0.2.7"): IncomingMessage {
  return { method: "GET", url, socket: { remoteAddress } } as unknown as IncomingMessage;
}

function opened() {
  const desk = new FakeDesk();
  const clock = new ManualClock();
  return { desk, clock, log: new RefusalLog(desk, clock) };
}

describe("RefusalLog", () => {
  test("writes who, what and why", () => {
    const { desk, log } = opened();
    log.stranger(asked("/v1/audit"), why);
    log.operator(asked("/v1/audit"), why, "admin");
    expect(
      desk.rows.map(({ actor, action, subject, detail, outcome }) => [actor, action, subject, detail, outcome]),
    ).toEqual([
      ["stranger at 192.0.2.7", "http GET", "/v1/audit", "unauthorized: the token is not known", "refused"],
      ["admin", "http GET", "/v1/audit", "unauthorized: the token is not known", "refused"],
    ]);
  });

  test("keeps queries out, and whatever could break a line or fill one", () => {
    const { desk, log } = opened();
    log.stranger(asked(`/v1/\u001b[31m\n${"x".repeat(5000)}?token=secret`), why);
    expect(desk.rows[0]?.subject).toMatch(/^\/v1\/\?\[31m\?x{190}$/);
    expect(JSON.stringify(desk.rows)).not.toContain("secret");
  });

  test("lets strangers write a burst, then one line for each ten seconds that says how many it stands for", () => {
    const { desk, clock, log } = opened();
    for (let n = 0; n < 1000; n += 1) log.stranger(asked("/"), why);
    expect(desk.rows).toHaveLength(20);
    for (let second = 0; second < 100; second += 1) {
      clock.advance(1000);
      log.stranger(asked("/"), why);
    }
    expect(desk.rows).toHaveLength(30);
    expect(desk.rows[20]?.detail).toContain("(and 989 more before it that were not written)");
  });

  test("a whole day of strangers writes no more than a few thousand lines", () => {
    const { desk, clock, log } = opened();
    for (let n = 0; n < 86_400; n += 1) {
      clock.advance(1000);
      log.stranger(asked("/"), why);
    }
    expect(desk.rows.length).toBeLessThan(8700);
  });
});
