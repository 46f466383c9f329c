import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { IMPORTS, serve, until } from "./testbed.ts";

const WEB = "web.shop.svc.clusterset.local";
const corefile = (lines = ""): string => `clusterset.local:{$DNS} {
  bind 127.0.0.1
  kubernetes {
    multicluster clusterset.local
    startup_timeout 50ms
  }
  health 127.0.0.1:{$HEALTH} {
    lameduck 300ms
  }
  ready 127.0.0.1:{$READY} ${lines}
  prometheus 127.0.0.1:{$PROM}
}`;

describe("probes", () => {
  test("[4.4-health] [4.4-ready] answer OK when names are answered", async () => {
    await using running = await serve(corefile());
    const { HEALTH, READY } = running.ports;
    expect(
      await until(
        () => running.get(HEALTH, "/health"),
        () => true,
      ),
    ).toEqual([200, "OK"]);
    expect(await running.get(READY, "/ready")).toEqual([200, "OK"]);
    expect((await running.get(READY, "/else"))[0]).toBe(404);
  });

  test("[4.4-not-ready] [4.4-startup] [4.4-until-ready] wait for the source, and say so", async () => {
    await using running = await serve(corefile(), null, false);
    const { READY } = running.ports;
    const early = await until(
      () => running.ask(WEB),
      () => true,
    ); // sent while listeners were silent
    expect([early.rcode, early.extendedError]).toEqual(["SERVFAIL", 14]);
    expect(
      await until(
        () => running.get(READY, "/ready"),
        () => true,
      ),
    ).toEqual([503, "kubernetes"]);
    mkdirSync(running.dir);
    writeFileSync(join(running.dir, "imports.yaml"), IMPORTS);
    await until(
      () => running.get(READY, "/ready"),
      ([status]) => status === 200,
    );
    expect((await running.ask(WEB)).rcode).toBe("NOERROR");
    expect((await running.ask("gone.clusterset.local")).rcode).toBe("NXDOMAIN");
  });

  test("[4.4-lameduck] names are answered for a while after the signal", async () => {
    await using running = await serve(corefile());
    const { HEALTH, READY } = running.ports;
    await until(
      () => running.get(READY, "/ready"),
      ([status]) => status === 200,
    );
    const begin = performance.now();
    const stopped = running.stop();
    expect(await running.get(READY, "/ready")).toEqual([503, "Shutting down"]);
    expect(await running.get(HEALTH, "/health")).toEqual([200, "OK"]);
    expect((await running.ask(WEB)).rcode).toBe("NOERROR");
    await stopped;
    expect(performance.now() - begin).toBeGreaterThan(290);
  });

  test("[4.4-self-check] the process asks itself", async () => {
    await using running = await serve(corefile());
    const count = /^coredns_health_request_duration_seconds_count [1-9]/m;
    const [, text] = await until(
      () => running.get(running.ports.PROM, "/metrics"),
      ([, body]) => count.test(body),
    );
    expect(text).toMatch(/^coredns_health_request_failures_total 0$/m);
  });
});
