import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { freePort } from "#lab";
import { silentLog, systemClock, Troubles } from "#life";
import { formatHostPort, type HostPort } from "#values";
import type { DnsAnswer } from "./answer-text.ts";
import { endpoint, HTTP, headless, ip, pods, virtual } from "./example-services.ts";
import { live } from "./live.ts";
import { query } from "./query-client.ts";
import { createResponder } from "./responder.ts";
import { message, ZONE } from "./testbed.ts";

const Z = "clusterset.local";
const SYNCED = { kind: "synced", synced: true } as const;
const never = new AbortController().signal;

async function ask(server: HostPort, name: string, type: string, tcp = false): Promise<DnsAnswer> {
  const answer = await query({ server, name, type, tcp }, never);
  if (!answer.ok) throw new Error(answer.error.detail);
  return answer.value;
}

describe.each(["ffi", "dgram"] as const)("a responder by %s", (mode) => {
  test("update() and applied(): answers by UDP and TCP on one address", async () => {
    await using bed = await live({ mode });
    bed.responder.update([{ kind: "service", service: virtual() }, SYNCED]);
    await bed.responder.applied();
    for (const tcp of [false, true]) {
      const answer = await ask(bed.at, `web.shop.svc.${Z}`, "A", tcp);
      expect(answer).toMatchObject({ rcode: "NOERROR", authoritative: true, edns: true });
      expect(answer.answers).toEqual([{ name: `web.shop.svc.${Z}`, ttl: 5, type: "A", data: "10.0.0.1" }]);
    }
    expect(bed.responder.stats().mode).toBe(mode);
  });

  test("a service that is removed is NXDOMAIN once applied, one that changes answers anew", async () => {
    await using bed = await live({ mode });
    bed.responder.update([{ kind: "service", service: virtual() }, SYNCED]);
    bed.responder.update([{ kind: "service", service: virtual({ addresses: [ip("10.0.0.2")] }) }]);
    await bed.responder.applied();
    expect((await ask(bed.at, `web.shop.svc.${Z}`, "A")).answers[0]?.data).toBe("10.0.0.2");
    bed.responder.update([{ kind: "remove", namespace: "shop", name: "web" }]);
    await bed.responder.applied();
    expect((await ask(bed.at, `web.shop.svc.${Z}`, "A")).rcode).toBe("NXDOMAIN");
  });

  test("before synced, what is unknown is SERVFAIL with EDE 14", async () => {
    await using bed = await live({ mode });
    expect(await ask(bed.at, `web.shop.svc.${Z}`, "A")).toMatchObject({ rcode: "SERVFAIL", extendedError: 14 });
  });

  test("an answer that is cut by UDP comes whole by TCP", async () => {
    await using bed = await live({ mode });
    bed.responder.update([{ kind: "service", service: headless(pods(500)) }, SYNCED]);
    await bed.responder.applied();
    expect((await ask(bed.at, `db.shop.svc.${Z}`, "A")).answers).toHaveLength(500);
  });

  test("askers that are gone when the reply comes (ICMP errors) harm nobody", async () => {
    await using bed = await live({ mode });
    bed.responder.update([SYNCED]);
    await bed.responder.applied();
    for (let i = 0; i < 50; i++) {
      const socket = createSocket("udp4");
      await new Promise<void>((resolve) => {
        socket.send(message(`x.${Z}`, "A"), bed.at.port, bed.at.host, () => socket.close(() => resolve()));
      });
    }
    expect((await ask(bed.at, Z, "SOA")).rcode).toBe("NOERROR");
  });

  test("stats() counts queries, replies by code, and what got none", async () => {
    await using bed = await live({ mode });
    bed.responder.update([{ kind: "service", service: virtual() }, SYNCED]);
    await bed.responder.applied();
    const socket = createSocket("udp4");
    await new Promise((resolve) => socket.send(new Uint8Array(5), bed.at.port, bed.at.host, resolve));
    await ask(bed.at, `web.shop.svc.${Z}`, "A");
    await ask(bed.at, `nope.shop.svc.${Z}`, "A", true);
    await ask(bed.at, "example.com", "A");
    socket.close();
    const stats = bed.responder.stats();
    expect(stats.queries).toEqual({ udp: 3, tcp: 1 });
    expect(stats.responses.udp).toMatchObject({ NOERROR: 1, REFUSED: 1, NXDOMAIN: 0 });
    expect(stats.responses.tcp).toMatchObject({ NXDOMAIN: 1 });
    expect(stats).toMatchObject({ dropped: 1, faults: 0, sendErrors: 0, restarts: 0, zone: { services: 1 } });
    expect(Math.abs(stats.zone.serial - systemClock.now() / 1000)).toBeLessThan(60);
  });

  test("run() returns only when the ports are free again", async () => {
    const bed = await live({ mode });
    await bed.stop();
    await using again = await live({ mode, listen: [bed.at] });
    expect(again.at).toEqual(bed.at);
  });

  test("a taken UDP port is refused by its address", async () => {
    const socket = createSocket("udp4");
    const at = { host: ip("127.0.0.1"), port: await freePort() }; // free for TCP, too, and nobody's by chance
    await new Promise<void>((resolve) => socket.bind(at.port, "127.0.0.1", resolve));
    await expect(live({ mode, listen: [at] })).rejects.toThrow(
      `cannot listen on ${formatHostPort(at)} (UDP): the port is taken by another program (EADDRINUSE)`,
    );
    socket.close();
  });

  test("Z5: under a stream of updates a reply never mixes two states", async () => {
    await using bed = await live({ mode });
    const state = (n: number) =>
      headless([...Array(8).keys()].map((i) => endpoint(`p${i}`, "a", [`10.0.${n % 250}.${i}`])));
    bed.responder.update([{ kind: "service", service: state(0) }, SYNCED]);
    await bed.responder.applied();
    let over = false;
    const churn = (async () => {
      for (let n = 1; !over; n++) {
        bed.responder.update([{ kind: "service", service: state(n) }]);
        await bed.responder.applied();
      }
    })();
    const seen = new Set<string | undefined>();
    for (let i = 0; i < 400; i++) {
      const { rcode, answers } = await ask(bed.at, `db.shop.svc.${Z}`, "A");
      const states = new Set(answers.map(({ data }) => data.split(".")[2]));
      expect([rcode, answers.length, states.size]).toEqual(["NOERROR", 8, 1]);
      seen.add([...states][0]);
    }
    over = true;
    await churn;
    expect(seen.size).toBeGreaterThan(10);
  });
});

describe("a responder", () => {
  test("a taken TCP port is refused, told by started, run and a trouble", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const troubles = new Troubles();
    const listen = [{ host: ip("127.0.0.1"), port }];
    const responder = createResponder({ listen, zone: ZONE, log: silentLog, clock: systemClock, troubles });
    const said = `cannot listen on 127.0.0.1:${port} (TCP): the port is taken by another program (EADDRINUSE)`;
    await expect(responder.run(never)).rejects.toThrow(said);
    expect(await responder.started).toEqual({ ok: false, error: said });
    expect(troubles.list()).toMatchObject([{ code: "dns-listen", severity: "critical", detail: said }]);
    server.close();
  });

  test("an address of another host is refused", async () => {
    const listen = [{ host: ip("192.0.2.1"), port: 0 }];
    await expect(live({ listen })).rejects.toThrow("192.0.2.1:0 (TCP): the address is not one of this host");
  });

  test("several addresses serve one zone, IPv6 too", async () => {
    const listen = [ip("127.0.0.1"), ip("127.0.0.2"), ip("::1")].map((host) => ({ host, port: 0 }));
    await using bed = await live({ listen });
    bed.responder.update([{ kind: "service", service: virtual() }, SYNCED]);
    await bed.responder.applied();
    for (const at of bed.responder.bound) {
      for (const tcp of [false, true]) expect((await ask(at, `web.shop.svc.${Z}`, "A", tcp)).answers).toHaveLength(1);
    }
  });

  test("nothing listens before run(), and updates given before count", async () => {
    const bed = createResponder({
      listen: [{ host: ip("127.0.0.1"), port: 0 }],
      zone: ZONE,
      log: silentLog,
      clock: systemClock,
      troubles: new Troubles(),
    });
    bed.update([{ kind: "service", service: virtual() }, SYNCED]);
    expect(bed.bound).toEqual([]);
    const end = new AbortController();
    const run = bed.run(end.signal);
    await bed.started;
    await bed.applied();
    expect((await ask(bed.bound[0] as HostPort, `web.shop.svc.${Z}`, "A")).answers).toHaveLength(1);
    end.abort();
    await run;
  });

  test("an abort before the start ends run(), and started says so", async () => {
    const bed = createResponder({
      listen: [{ host: ip("127.0.0.1"), port: 0 }],
      zone: ZONE,
      log: silentLog,
      clock: systemClock,
      troubles: new Troubles(),
    });
    await bed.run(AbortSignal.abort());
    expect((await bed.started).ok).toBe(false);
  });

  test("a zone larger than its memory keeps what it has and says which name has no room", async () => {
    await using bed = await live({ zoneBytes: 64 << 10 });
    const names = [...Array(500).keys()].map((i) => virtual({ name: `s${i}` }));
    bed.responder.update([...names.map((service) => ({ kind: "service", service }) as const), SYNCED]);
    await bed.responder.applied();
    expect((await ask(bed.at, `s0.shop.svc.${Z}`, "A")).answers).toHaveLength(1);
    expect(bed.troubles.list()).toMatchObject([{ code: "dns-zone", severity: "critical" }]);
    expect(bed.troubles.list()[0]?.detail).toMatch(/^shop\/s\d+: the zone's memory is full$/);
  });

  test("createResponder() refuses what it cannot serve", () => {
    const options = { zone: ZONE, log: silentLog, clock: systemClock, troubles: new Troubles() };
    expect(() => createResponder({ ...options, listen: [] })).toThrow("1 to 47 addresses to listen on, not 0");
    const listen = [{ host: ip("127.0.0.1"), port: 0 }];
    expect(() => createResponder({ ...options, listen, zoneBytes: 1000 })).toThrow("zoneBytes must be 65536 to");
    expect(() => createResponder({ ...options, listen, zone: { ...ZONE, ttl: -1 } })).toThrow("ttl must be 0 to 3600");
  });

  test("10,000 services in one update delay no other work of the thread", async () => {
    await using bed = await live();
    const changes = [...Array(10_000).keys()].map((i) => ({
      kind: "service" as const,
      service: virtual({ namespace: `n${i % 50}`, name: `s${i}`, ports: [HTTP] }),
    }));
    const turns: number[] = [];
    let last = performance.now();
    const timer = setInterval(() => {
      turns.push(performance.now() - last);
      last = performance.now();
    }, 1);
    bed.responder.update(changes);
    bed.responder.update([SYNCED]);
    await bed.responder.applied();
    clearInterval(timer);
    expect(bed.responder.stats().zone).toMatchObject({ services: 10_000 });
    expect((await ask(bed.at, `s9999.n49.svc.${Z}`, "A")).answers).toHaveLength(1);
    expect(turns.toSorted((a, b) => a - b)[Math.floor(turns.length * 0.9)]).toBeLessThan(20);
  });
});
