import { describe, expect, test } from "vitest";
import { serve } from "./testbed.ts";

const WEB = "web.shop.svc.clusterset.local";
const COREFILE = `.:{$DNS} {
  bind 127.0.0.1
  multicluster clusterset.local
  prometheus 127.0.0.1:{$PROM}
  health 127.0.0.1:{$HEALTH}
  acl {
    block type TXT
    allow
  }
}`;

describe("CoreDNS's metrics, after four queries by UDP and one by TCP:", async () => {
  await using running = await serve(COREFILE);
  await running.ask(WEB);
  await running.ask(WEB, "TXT");
  await running.ask("gone.clusterset.local", "TYPE666");
  await running.ask("elsewhere.test");
  await running.ask(WEB, "AAAA", { tcp: true });
  const [, text] = await running.get(running.ports.PROM, "/metrics");
  const server = `server="dns://127.0.0.1:${running.ports.DNS}"`;
  /** Lines of a metric, without its name. */
  const lines = (name: string): readonly string[] =>
    text
      .split("\n")
      .filter((line) => new RegExp(`^${name}(\\{| )`).test(line))
      .map((line) => line.slice(name.length));
  const bounds = (name: string): readonly number[] => [
    ...new Set(lines(`${name}_bucket`).map((line) => Number(/le="([\d.e+]+)"/.exec(line)?.[1] ?? Number.NaN))),
  ];
  const SIZES = [0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16e3, 32e3, 48e3, 64e3];

  test("[4.3-build_info]", () => {
    expect(lines("coredns_build_info")).toEqual([`{version="1.2.3",revision="",goversion="${process.version}"} 1`]);
  });
  test("[4.3-panics]", () => expect(lines("coredns_panics_total")).toEqual([" 0"]));
  test("[4.3-plugin_enabled]", () => {
    expect(lines("coredns_plugin_enabled")).toContain(`{${server},zone=".",view="",name="multicluster"} 1`);
  });
  test("[4.3-requests] [4.3-server] [4.3-zone] [4.3-type]", () => {
    expect(lines("coredns_dns_requests_total").toSorted()).toEqual(
      [
        `{${server},zone=".",view="",proto="tcp",family="1",type="AAAA"} 1`,
        `{${server},zone=".",view="",proto="udp",family="1",type="A"} 1`,
        `{${server},zone=".",view="",proto="udp",family="1",type="TXT"} 1`,
        `{${server},zone=".",view="",proto="udp",family="1",type="other"} 1`,
        `{${server},zone="dropped",view="",proto="udp",family="1",type="A"} 1`,
      ].toSorted(),
    );
  });
  test("[4.3-duration]", () => {
    expect(lines("coredns_dns_request_duration_seconds_count")).toContain(`{${server},zone=".",view=""} 4`);
    const upTo = Array.from({ length: 16 }, (_, k) => 0.00025 * 2 ** k);
    expect(bounds("coredns_dns_request_duration_seconds").filter((le) => !Number.isNaN(le))).toEqual(upTo);
  });
  test("[4.3-request_size]", () => {
    const name = "coredns_dns_request_size_bytes";
    expect(lines(`${name}_count`)).toContain(`{${server},zone=".",view="",proto="udp"} 3`);
    expect(bounds(name).filter((le) => !Number.isNaN(le))).toEqual(SIZES);
  });
  test("[4.3-do_requests]", () => {
    expect(lines("coredns_dns_do_requests_total")).toContain(`{${server},zone=".",view=""} 0`);
  });
  test("[4.3-response_size]", () => {
    const name = "coredns_dns_response_size_bytes";
    expect(lines(`${name}_count`)).toContain(`{${server},zone=".",view="",proto="tcp"} 1`);
    expect(bounds(name).filter((le) => !Number.isNaN(le))).toEqual(SIZES);
  });
  test("[4.3-responses]", () => {
    const name = "coredns_dns_responses_total";
    expect(lines(name)).toContain(`{${server},zone=".",view="",rcode="NOERROR",plugin="multicluster"} 2`);
    expect(lines(name)).toContain(`{${server},zone=".",view="",rcode="NXDOMAIN",plugin="multicluster"} 1`);
    expect(lines(name)).toContain(`{${server},zone="dropped",view="",rcode="REFUSED",plugin=""} 1`);
  });
  test("[4.3-health]", () => {
    expect(lines("coredns_health_request_failures_total")).toEqual([" 0"]);
    const upTo = [0.00025, 0.0025, 0.025, 0.25, 2.5];
    expect(bounds("coredns_health_request_duration_seconds").filter((le) => !Number.isNaN(le))).toEqual(upTo);
  });
  test("[4.3-reload]", () => {
    expect(lines("coredns_reload_failed_total")).toEqual([" 0"]);
    expect(lines("coredns_reload_version_info")).toEqual([`{hash="sha512",value="${"a".repeat(128)}"} 1`]);
  });
  test("[4.3-acl]", () => {
    expect(lines("coredns_acl_blocked_requests_total")).toEqual([`{${server},zone=".",view=""} 1`]);
    expect(lines("coredns_acl_allowed_requests_total")).toEqual([`{${server},view=""} 3`]);
  });
  test("[4.3-names]", () => {
    const named = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].filter(([, name]) => name?.startsWith("coredns_"));
    for (const [, name = "", type] of named) {
      expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(name.endsWith("_total")).toBe(type === "counter");
    }
    expect(named.length).toBeGreaterThan(12);
  });
  test("[4.3-absent]", () => {
    expect(text).not.toMatch(/coredns_(cache|forward|proxy|kubernetes|shed|dns_https)/);
  });
});
