import { describe, expect, test } from "vitest";
import { err, ok } from "#values";
import { readCorefile } from "./corefile.ts";
import type { CorefilePlan } from "./corefile-plan.ts";

const FILES: Readonly<Record<string, string>> = {
  "more.conf": "errors\nlog",
  "sites/*": "b.test:5300 {\n multicluster\n}",
};

function read(text: string, env: Readonly<Record<string, string>> = {}) {
  const imported = (pattern: string) => {
    const found = FILES[pattern];
    return found === undefined ? err("there is no such file") : ok([{ file: pattern, text: found }]);
  };
  return readCorefile({ file: "Corefile", text }, { env, imported });
}

function planned(text: string, env: Readonly<Record<string, string>> = {}): CorefilePlan {
  const plan = read(text, env);
  if (!plan.ok) throw new Error(plan.error.join("\n"));
  return plan.value;
}

function faults(text: string): readonly string[] {
  const plan = read(text);
  return plan.ok ? [] : plan.error;
}

/** A server block for the usual zone. */
const block = (lines: string): string => `clusterset.local {\n${lines}\nmulticluster\n}`;
const server = (lines: string) => planned(block(lines)).servers[0];

describe("readCorefile()", () => {
  test("[4.2-address] reads schemes, zones and ports", () => {
    const text = "dns://Clusterset.Local.:1053, other.test {\n multicluster clusterset.local other.test\n}";
    expect(planned(text).servers.map(({ zones, port }) => [zones, port])).toEqual([
      [["clusterset.local"], 1053],
      [["other.test"], 53],
    ]);
    expect(faults("tls://clusterset.local {\n}")[0]).toMatch(/^Corefile:1: tls:\/\/ is not served/);
  });

  test.each([
    ["10.0.0.0/8", ["10.in-addr.arpa"]],
    ["10.1.2.0/24", ["2.1.10.in-addr.arpa"]],
    ["10.1.2.0/23", ["2.1.10.in-addr.arpa", "3.1.10.in-addr.arpa"]],
    ["fd00::/8", ["d.f.ip6.arpa"]],
  ])("[4.2-reverse] %s is its reverse zones", (prefix, zones) => {
    expect(planned(`${prefix} {\n errors\n}`).servers[0]?.zones).toEqual(zones);
  });

  test("[4.2-comments] passes over comments and keeps quoted words whole", () => {
    const found = server('# a comment\nlog . "{remote} # {name}" # another');
    expect(found?.log[0]?.format).toBe("{remote} # {name}");
    expect(faults('a.test {\n log "open\n}')[0]).toMatch(/^Corefile:2: a quote is not closed/);
  });

  test("[4.2-env] fills in the environment, also inside a word", () => {
    const text = "{$ZONE}:1{%PORT%} {\n multicluster\n}";
    const [found] = planned(text, { ZONE: "clusterset.local", PORT: "053" }).servers;
    expect([found?.zones, found?.port]).toEqual([["clusterset.local"], 1053]);
  });

  test("[4.2-import] takes in snippets, files and patterns", () => {
    const plan = planned(
      "(own) {\n cache 7\n}\na.test {\n import own\n import more.conf\n multicluster\n}\nimport sites/*",
    );
    expect(plan.servers.map(({ zones, log }) => [zones[0], log.length])).toEqual([
      ["a.test", 1],
      ["b.test", 0],
    ]);
    expect(faults("a.test {\n import none.conf\n}")).toEqual(["Corefile:2: import none.conf: there is no such file"]);
  });

  test("[4.2-twice] refuses the same zone at the same place twice", () => {
    expect(faults("a.test {\n errors\n}\na.test {\n errors\n}")[0]).toBe(
      "Corefile:4: a.test. port 53 is served by the block of Corefile:1 already",
    );
  });

  test("[4.2-unknown] refuses what it does not know, every one at once, and says what was probably meant", () => {
    expect(faults("a.test {\n erors\n kubernets\n frobnicate\n}")).toEqual([
      'Corefile:2: unknown directive "erors"; did you mean errors?',
      'Corefile:3: unknown directive "kubernets"; did you mean kubernetes?',
      expect.stringMatching(/^Corefile:4: unknown directive "frobnicate"; there is acl, any, /),
    ]);
  });

  test("[4.2-order] does not mind the order of directives", () => {
    const { place: _a, ...one } = server("cache 30\nerrors\nbufsize 1000") ?? { place: "" };
    const { place: _b, ...other } = server("bufsize 1000\nerrors\ncache 30") ?? { place: "" };
    expect(one).toEqual(other);
  });

  test.each([
    ["cache", 5],
    ["cache 3", 5],
    ["cache 30", 30],
    ["cache 30 {\n success 100 9\n}", 9],
  ])("[4.2-cache] %s bounds a lifetime of 40 s to %i s, and never below 5 s", (cache, ttl) => {
    const text = `clusterset.local {\n ${cache}\n kubernetes {\n multicluster clusterset.local\n ttl ${ttl === 5 ? 1 : 40}\n }\n}`;
    expect(planned(text).servers[0]?.ttl).toBe(ttl);
    expect(faults(block("cache {\n prefetch 3\n}"))[0]).toMatch(/^Corefile:3: nothing is cached here/);
  });

  test("[4.2-loadbalance] has one policy", () => {
    expect(faults(block("loadbalance round_robin"))).toEqual([]);
    expect(faults(block("loadbalance weighted w.txt"))[0]).toMatch(/^Corefile:2: loadbalance weighted is not served/);
  });

  test("[4.2-timeouts] are those of TCP", () => {
    expect(server("timeouts {\n read 3s\n write 4s\n idle 1m\n}")?.tcp).toEqual({
      messageMs: 3000,
      writeMs: 4000,
      idleMs: 60_000,
    });
  });

  test("[4.2-ttl] is 0 to 3600 seconds", () => {
    const text = (ttl: string): string =>
      `clusterset.local {\n kubernetes {\n multicluster clusterset.local\n ttl ${ttl}\n }\n}`;
    expect(planned(text("60")).servers[0]?.ttl).toBe(60);
    expect(faults(text("3601"))).toEqual(['Corefile:4: must be a whole number from 0 to 3600: "3601"']);
  });

  test("[4.2-kubernetes] serves the multicluster zones alone", () => {
    const text = ". {\n kubernetes cluster.local clusterset.local {\n multicluster clusterset.local\n }\n}";
    expect(faults(text)[0]).toMatch(/^Corefile:2: cluster\.local is no multicluster zone: leave it to CoreDNS/);
    const good = ". {\n kubernetes clusterset.local {\n multicluster clusterset.local\n }\n}";
    expect(planned(good).servers[0]?.origins).toEqual(["clusterset.local"]);
  });

  test("[4.2-multicluster] serves the block's zones, or those named", () => {
    expect(planned("a.test b.test {\n multicluster\n}").servers[0]?.origins).toEqual(["a.test", "b.test"]);
    expect(planned(". {\n multicluster a.test\n}").servers[0]?.origins).toEqual(["a.test"]);
    expect(faults("a.test {\n multicluster b.test\n}")[0]).toMatch(/b\.test is in none of the zones/);
  });

  test("[4.2-fallthrough] has nothing behind it", () => {
    expect(faults("a.test {\n multicluster {\n fallthrough\n }\n}")[0]).toMatch(
      /^Corefile:3: there is nothing behind it/,
    );
  });

  test.each([
    "forward . 1.1.1.1",
    "header",
    "view v",
    "minimal",
    "nsid",
    "chaos",
    "pprof",
    "multisocket",
    "shed",
    "hosts",
    "dnssec",
  ])("[4.2-refused] %s is refused with what there is instead", (line) => {
    const name = line.split(" ")[0];
    expect(faults(block(line))[0]).toMatch(new RegExp(`^Corefile:2: ${name} is not served here: .{15,}`));
  });

  test.each(["any", "debug", "loop"])("[4.2-%s] is accepted", (name) => {
    expect(faults(block(name))).toEqual([]);
  });

  test("[4.2-debug] [4.2-loop] [4.2-reload] [4.2-bufsize] reads what they are given, and bounds it", () => {
    expect(planned(block("debug\nloop\nreload 10s 5s")).reload).toEqual({ intervalMs: 10_000, jitterMs: 5000 });
    expect(faults(block("reload 1s"))).toEqual(['Corefile:2: must be at least 2s: "1s"']);
    expect(faults(block("reload 10s 6s"))[0]).toMatch(/at most half of the interval/);
    expect(server("bufsize 600")?.bufsize).toBe(600);
    expect(faults(block("bufsize 100"))[0]).toMatch(/from 512 to 4096/);
  });

  test("[4.4-addresses] [4.2-health] [4.2-ready] [4.2-prometheus] health, ready and metrics are where CoreDNS has them", () => {
    const { health, ready, prometheus } = planned(block("health {\n lameduck 5s\n}\nready\nprometheus"));
    expect(health).toEqual({ at: { host: null, port: 8080 }, lameduckMs: 5000 });
    expect(ready).toEqual({ at: { host: null, port: 8181 }, continuously: false });
    expect(prometheus).toEqual({ host: "127.0.0.1", port: 9153 });
    expect(planned(block("prometheus :9253")).prometheus).toEqual({ host: null, port: 9253 });
  });

  test.each([
    ["a.test {", "Corefile:1: this block is not closed: a } is missing"],
    ["}", 'Corefile:1: "}" without a zone before it'],
    ["", "Corefile:1: there is no server block: write clusterset.local { multicluster }"],
  ])("refuses %j", (text, fault) => {
    expect(faults(text)).toEqual([fault]);
  });

  test("a file without braces is one block", () => {
    expect(planned("clusterset.local\nerrors\nmulticluster").servers[0]?.origins).toEqual(["clusterset.local"]);
  });
});
