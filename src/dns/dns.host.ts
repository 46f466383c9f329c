import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { runCommand, silentLog, systemClock, Troubles } from "#life";
import { headless, ip, pods, virtual } from "./example-services.ts";
import { loadLibc } from "./libc.ts";
import { type Live, live } from "./live.ts";
import { query } from "./query-client.ts";
import { createResponder } from "./responder.ts";
import { ZONE } from "./testbed.ts";
import type { UdpMode } from "./udp-thread.ts";

const Z = "clusterset.local";
const never = new AbortController().signal;

async function command(...argv: readonly string[]): Promise<string> {
  const out = await runCommand(argv);
  if (!out.ok) throw new Error(`${argv.join(" ")}: ${out.error.stderr}`);
  return out.value;
}

async function filled(mode: UdpMode): Promise<Live> {
  const bed = await live({ mode });
  bed.responder.update([
    { kind: "service", service: virtual() },
    { kind: "service", service: headless(pods(40)) },
    { kind: "synced", synced: true },
  ]);
  await bed.responder.applied();
  return bed;
}

/** dig gives the status, the flags, and the answer section's lines. */
async function dig(bed: Live, ...args: readonly string[]) {
  const text = await command("dig", `@${bed.at.host}`, "-p", String(bed.at.port), "+tries=1", "+time=2", ...args);
  const section = /;; ANSWER SECTION:\n((?:[^;\n].*\n)+)/.exec(text)?.[1] ?? "";
  return {
    text,
    status: /status: (\w+)/.exec(text)?.[1],
    flags: /;; flags: ([\w ]*);/
      .exec(text)?.[1]
      ?.split(" ")
      .filter((flag) => flag !== ""),
    answers: section
      .trim()
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.replaceAll(/\s+/g, " ")),
  };
}

describe.each(["ffi", "dgram"] as const)("dig and a responder by %s", (mode) => {
  test("the queries of RFC 8906 section 8 as it writes them", async () => {
    await using bed = await filled(mode);
    const rows: readonly (readonly [args: string, status: string, has?: RegExp])[] = [
      ["+noedns +noad +norec soa", "NOERROR", /SOA\s+ns\.dns\.clusterset\.local\./],
      ["+noedns +noad +norec type1000", "NOERROR"],
      ["+noedns +noad +norec +cd soa", "NOERROR"],
      ["+noedns +norec +ad soa", "NOERROR"],
      ["+noedns +noad +norec +zflag soa", "NOERROR"],
      ["+noedns +noad +rec soa", "NOERROR"],
      ["+noedns +noad +norec +tcp soa", "NOERROR"],
      ["+edns=0 +nocookie +norec +noad soa", "NOERROR", /EDNS: version: 0, flags:; udp: 1232/],
      ["+edns=1 +noednsneg +nocookie +norec +noad soa", "BADVERS", /EDNS: version: 0/],
      ["+edns=0 +ednsopt=100 +nocookie +norec +noad soa", "NOERROR"],
      ["+edns=0 +ednsflags=0x40 +nocookie +norec +noad soa", "NOERROR"],
      ["+edns=1 +noednsneg +ednsopt=100 +nocookie +norec +noad soa", "BADVERS"],
      ["+dnssec +nocookie +norec +noad soa", "NOERROR", /flags: do;/],
      ["+edns=1 +noednsneg +dnssec +nocookie +norec +noad soa", "BADVERS", /flags: do;/],
      ["+nsid +subnet=0.0.0.0/0 +expire +cookie=0102030405060708 +norec +noad soa", "NOERROR"],
      ["+tcp +dnssec +bufsize=512 +nocookie +norec +noad dnskey", "NOERROR"],
    ];
    for (const [args, status, has] of rows) {
      const got = await dig(bed, ...args.split(" "), Z);
      expect([args, got.status]).toEqual([args, status]);
      if (has !== undefined) expect(got.text).toMatch(has);
      expect(got.text).not.toMatch(/MBZ|malformed/);
      expect(/; COOKIE: 0102030405060708[0-9a-f]{32}/.test(got.text)).toBe(args.includes("+cookie="));
    }
    const opcode = await dig(bed, "+noedns", "+noad", "+norec", "+header-only", "+opcode=15");
    expect(opcode.text).toMatch(/opcode: RESERVED15, status: NOTIMP/);
  });

  test("what people ask: addresses, SRV with glue, a cut reply asked again by TCP", async () => {
    await using bed = await filled(mode);
    const web = await dig(bed, "+norec", `web.shop.svc.${Z}`, "A");
    expect(web).toMatchObject({
      status: "NOERROR",
      flags: ["qr", "aa"],
      answers: [`web.shop.svc.${Z}. 5 IN A 10.0.0.1`],
    });
    const srv = await dig(bed, `_http._tcp.web.shop.svc.${Z}`, "SRV");
    expect(srv.answers).toEqual([`_http._tcp.web.shop.svc.${Z}. 5 IN SRV 0 100 80 web.shop.svc.${Z}.`]);
    expect(srv.text).toMatch(/ADDITIONAL SECTION:\nweb\.shop\.svc\.clusterset\.local\.\s+5\s+IN\s+A\s+10\.0\.0\.1/);
    const db = await dig(bed, "+bufsize=512", `db.shop.svc.${Z}`, "A");
    expect(db.answers).toHaveLength(40);
    expect(db.text).toMatch(/\(TCP\)/);
    const any = await dig(bed, "+notcp", `web.shop.svc.${Z}`, "ANY");
    expect(any.answers).toEqual([`web.shop.svc.${Z}. 5 IN HINFO "RFC8482" ""`]);
    expect((await dig(bed, "example.com", "A")).text).toMatch(/status: REFUSED[\s\S]*EDE: 20 \(Not Authoritative\)/);
    expect((await dig(bed, `nope.shop.svc.${Z}`, "A")).status).toBe("NXDOMAIN");
  });
});

describe("a responder on all addresses", () => {
  test.each([
    ["0.0.0.0", ["127.0.0.1", "127.0.0.2", "127.45.6.7"]],
    ["::", ["::1"]],
  ] as const)("[5.4-M33] on %s a reply leaves from the address that was asked", async (host, asked) => {
    await using bed = await live({ mode: "ffi", listen: [{ host: ip(host), port: 0 }] });
    bed.responder.update([{ kind: "synced", synced: true }]);
    await bed.responder.applied();
    for (const address of asked) {
      // The client's socket is connected: it hears a reply from that address alone.
      const server = { host: ip(address), port: bed.at.port };
      const answer = await query({ server, name: Z, type: "SOA", timeoutMs: 500, tries: 1 }, never);
      expect([address, answer.ok]).toEqual([address, true]);
    }
  });

  test("[5.4-M33] on an address that was added later, in a namespace of its own", async () => {
    const name = `mrd-dns-${process.pid}`;
    await using bed = await live({ mode: "ffi", listen: [{ host: ip("0.0.0.0"), port: 0 }] });
    bed.responder.update([{ kind: "synced", synced: true }]);
    await bed.responder.applied();
    const link = `mdns${process.pid % 100_000}`;
    try {
      await command("ip", "netns", "add", name);
      await command("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name);
      for (const address of ["198.51.100.1/24", "198.51.100.9/24"])
        await command("ip", "addr", "add", address, "dev", link);
      await command("ip", "link", "set", link, "up");
      const inside = ["ip", "-n", name];
      await command(...inside, "addr", "add", "198.51.100.2/24", "dev", "eth0");
      await command(...inside, "link", "set", "eth0", "up");
      for (const address of ["198.51.100.1", "198.51.100.9"]) {
        const argv = [
          "ip",
          "netns",
          "exec",
          name,
          "dig",
          `@${address}`,
          "-p",
          String(bed.at.port),
          "+time=2",
          Z,
          "SOA",
        ];
        expect(await command(...argv)).toMatch(/status: NOERROR/);
      }
    } finally {
      await runCommand(["ip", "link", "del", link]);
      await runCommand(["ip", "netns", "del", name]);
    }
  });
});

describe("a responder whose socket fails", () => {
  test("starts again by itself, on the same port, with the same zone", async () => {
    const troubles = new Troubles();
    const begun: string[] = [];
    const bed = createResponder({
      listen: [{ host: ip("127.0.0.1"), port: 0 }],
      zone: ZONE,
      log: { ...silentLog, info: (text) => begun.push(text) },
      clock: systemClock,
      troubles,
      mode: "ffi",
    });
    const end = new AbortController();
    const run = bed.run(end.signal);
    await bed.started;
    bed.update([
      { kind: "service", service: virtual() },
      { kind: "synced", synced: true },
    ]);
    await bed.applied();
    const [at = { host: ip("127.0.0.1"), port: 0 }] = bed.bound;
    await closeUdp(at.port);
    while (begun.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    await bed.applied();
    const answer = await query({ server: at, name: `web.shop.svc.${Z}`, type: "A" }, never);
    expect(answer).toMatchObject({ ok: true, value: { rcode: "NOERROR" } });
    expect(bed.stats().restarts).toBe(1);
    expect(troubles.list()).toEqual([]);
    end.abort();
    await run;
  });
});

/** closeUdp closes, behind its owner's back, this process's socket on a UDP port of IPv4. */
async function closeUdp(port: number): Promise<void> {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const table = readFileSync("/proc/net/udp", "utf8").split("\n");
  const line = table.find((text) => text.trim().split(/\s+/)[1]?.endsWith(local));
  const inode = line?.trim().split(/\s+/)[9];
  const link = (fd: string): string => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return "";
    }
  };
  const fd = readdirSync("/proc/self/fd").find((candidate) => link(candidate) === `socket:[${inode}]`);
  const libc = await loadLibc();
  if (!libc.ok || fd === undefined) throw new Error(`no socket on ${local}: ${line} ${libc.ok ? "" : libc.error}`);
  libc.value.close(Number(fd));
}
