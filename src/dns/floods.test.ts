import { createSocket } from "node:dgram";
import { describe, expect, test } from "vitest";
import { parseCidr, expect as take } from "#values";
import { headless, pods, virtual } from "./example-services.ts";
import { asked, message, nameOf, octets16 } from "./testbed.ts";
import { MODES, udpClient, wire } from "./testbed-wire.ts";
import { concat } from "./wire-name.ts";

const Z = "clusterset.local";
const WEB = `web.shop.svc.${Z}`;
const COOKIE = Uint8Array.from([0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]);

/** flood sends one query many times and counts what came back: whole answers and cut ones. */
async function flood(client: Awaited<ReturnType<typeof udpClient>>, query: Uint8Array, count: number) {
  const all: Uint8Array[] = [];
  for (let sent = 0; sent < count; sent += 100) {
    all.push(...(await client.all(Array.from({ length: Math.min(100, count - sent) }, () => query))));
  }
  const replies = all.map(asked);
  return {
    whole: replies.filter(({ truncated }) => !truncated).length,
    cut: replies.filter(({ truncated }) => truncated).length,
    replies,
  };
}

describe.each(MODES)("floods, by %s", (mode) => {
  test("[5.4-A2] without limits configured 3,000 queries get 3,000 answers", async () => {
    await using bed = await wire(mode, [virtual()]);
    const client = await udpClient(bed.at);
    expect(await flood(client, message(WEB, "A"), 3000)).toMatchObject({ whole: 3000, cut: 0 });
    client.close();
  });

  test("[5.4-A2] F48: a network gets its share a second; of the others every second is cut; all else is untouched", async () => {
    await using bed = await wire(mode, [virtual()], { packets: { rateLimit: { responsesPerSecond: 20 } } });
    const victim = await udpClient(bed.at, "127.0.5.1");
    const neighbour = await udpClient(bed.at, "127.0.5.77");
    const stranger = await udpClient(bed.at, "127.0.6.1");
    const began = performance.now();
    const got = await flood(victim, message(WEB, "A"), 4000);
    const seconds = Math.ceil((performance.now() - began) / 1000) + 1;
    expect(got.whole).toBeGreaterThanOrEqual(20);
    expect(got.whole).toBeLessThanOrEqual(20 * seconds);
    expect(Math.abs(got.cut - (4000 - got.whole) / 2)).toBeLessThanOrEqual(seconds);
    // What is cut is no larger than the query, and by TCP the same client gets everything.
    for (const { truncated, bytes, answers } of got.replies) {
      if (truncated) expect([bytes, answers]).toEqual([message(WEB, "A").length, []]);
    }
    expect((await bed.ask(WEB, "A", { tcp: true })).answers).toHaveLength(1);
    expect((await flood(neighbour, message(WEB, "A"), 100)).whole).toBeLessThanOrEqual(20);
    expect(await flood(stranger, message(WEB, "A"), 20)).toMatchObject({ whole: 20, cut: 0 });
    const { rateLimited } = bed.responder.stats();
    expect(rateLimited.dropped).toBeGreaterThan(1500);
    expect(rateLimited.slipped).toBeGreaterThan(1500);
    for (const client of [victim, neighbour, stranger]) client.close();
  });

  test("[5.4-A2] forwarders are exempt, and so are health checks from anywhere", async () => {
    const forwarders = [take(parseCidr("127.0.7.0/24"))];
    const packets = { rateLimit: { responsesPerSecond: 5, slip: 0 }, forwarders };
    await using bed = await wire(mode, [virtual()], { packets });
    const coredns = await udpClient(bed.at, "127.0.7.9");
    expect(await flood(coredns, message(WEB, "A"), 1000)).toMatchObject({ whole: 1000, cut: 0 });
    const other = await udpClient(bed.at, "127.0.8.9");
    expect((await flood(other, message(WEB, "A"), 1000)).whole).toBeLessThanOrEqual(20);
    const checks = await flood(other, message(".", "NS", { edns: {} }), 500);
    expect(checks.replies.map(({ rcode }) => rcode)).toEqual(Array(500).fill("REFUSED"));
    for (const client of [coredns, other]) client.close();
  });

  test("[5.4-A3] 20,000 names that do not exist: NXDOMAIN each, and the zone keeps none", async () => {
    await using bed = await wire(mode, [virtual()]);
    const client = await udpClient(bed.at);
    const before = bed.responder.stats().zone;
    let absent = 0;
    for (let sent = 0; sent < 20_000; sent += 100) {
      const names = Array.from({ length: 100 }, (_, i) => message(`r${sent + i}.shop.svc.${Z}`, "A"));
      for (const reply of await client.all(names)) if (((reply[3] ?? 0) & 15) === 3) absent++;
    }
    expect(absent).toBe(20_000);
    expect(bed.responder.stats().zone).toEqual(before);
    client.close();
  });

  test("[5.4-A4] a bad server cookie gets a small BADCOOKIE, whose cookie is good; by TCP it gets its answer", async () => {
    await using bed = await wire(mode, [headless(pods(60))]);
    const name = `db.shop.svc.${Z}`;
    const forged = concat(octets16(10, 24), COOKIE.slice(4), Uint8Array.of(1, 0, 0, 0), new Uint8Array(12));
    const query = message(name, "A", { edns: { options: forged } });
    const bad = await bed.send(query);
    expect(bad).toMatchObject({ rcode: "BADCOOKIE", authoritative: false, answers: [], authorities: [], edns: true });
    expect(bad.bytes).toBe(query.length);
    const cookie = bad.octets.slice(-28);
    const good = await bed.ask(name, "A", { edns: { options: cookie } });
    expect(good).toMatchObject({ rcode: "NOERROR", truncated: false });
    expect(good.octets.slice(-28)).toEqual(cookie);
    expect((await bed.send(query, true)).rcode).toBe("NOERROR");
    const elsewhere = await udpClient(bed.at, "127.0.9.1");
    const [stolen = new Uint8Array(0)] = await elsewhere.all([message(name, "A", { edns: { options: cookie } })]);
    expect(asked(stolen).rcode).toBe("BADCOOKIE");
    elsewhere.close();
  });

  test("[5.4-A4] a good cookie lifts the limit; forged ones fall under it as errors do", async () => {
    const packets = { rateLimit: { responsesPerSecond: 5, slip: 0 } };
    await using bed = await wire(mode, [virtual()], { packets });
    const client = await udpClient(bed.at, "127.0.10.1");
    const [first = new Uint8Array(0)] = await client.all([message(WEB, "A", { edns: { options: COOKIE } })]);
    const cookie = first.slice(-28);
    const shown = message(WEB, "A", { edns: { options: cookie } });
    expect(await flood(client, shown, 500)).toMatchObject({ whole: 500, cut: 0 });
    cookie[20] = (cookie[20] ?? 0) ^ 1;
    const forged = message(WEB, "A", { edns: { options: cookie } });
    expect((await flood(client, forged, 500)).replies.length).toBeLessThanOrEqual(20);
    client.close();
  });

  test("[5.4-A5] what counters and their labels say of hostile names is from fixed lists", async () => {
    await using bed = await wire(mode, [virtual()]);
    const label = Buffer.from('x"\n} 1\nevil{a="', "latin1");
    await bed.send(message(concat(Uint8Array.of(label.length), label, nameOf(Z)), 65_280));
    const { responses } = bed.responder.stats();
    const codes = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "BADVERS", "BADCOOKIE"];
    expect(Object.keys(responses.udp)).toEqual(codes);
    expect(JSON.stringify(bed.responder.stats())).not.toContain("evil");
  });

  test("F50: transfers, updates, notifies, other classes and responses get no answer and leave no trace", async () => {
    await using bed = await wire(mode, [virtual()]);
    const rcodes = async (query: Uint8Array) => [(await bed.send(query)).rcode, (await bed.send(query, true)).rcode];
    expect(await rcodes(message(Z, "AXFR"))).toEqual(["REFUSED", "REFUSED"]);
    expect(await rcodes(message("version.bind", "TXT", { class: 3 }))).toEqual(["REFUSED", "REFUSED"]);
    for (let opcode = 1; opcode < 16; opcode++) {
      expect(await rcodes(message(Z, "SOA", { flags: opcode << 11 }))).toEqual(["NOTIMP", "NOTIMP"]);
    }
    expect(await bed.all([message(Z, "SOA", { flags: 0x8400 })])).toEqual([]);
    expect((await bed.ask(WEB, "ANY")).answers).toHaveLength(1);
  });

  test("F52: what is out of zone is refused at once, whatever becomes of anybody upstream: nobody is asked", async () => {
    // A name server that is slow and lies: were anything forwarded, it would hear of it.
    const upstream = createSocket("udp4");
    let heard = 0;
    upstream.on("message", () => heard++);
    await new Promise<void>((done) => upstream.bind(0, "127.0.0.1", done));
    await using bed = await wire(mode, [virtual()]);
    const names = Array.from({ length: 500 }, (_, i) => message(`host${i}.example.com`, "A", { flags: 0x100 }));
    const began = performance.now();
    const replies = (await bed.all(names)).map(asked);
    expect(performance.now() - began).toBeLessThan(2000);
    expect(replies.map(({ rcode, answers }) => `${rcode} ${answers.length}`)).toEqual(Array(500).fill("REFUSED 0"));
    expect((await bed.ask(WEB, "A")).answers).toHaveLength(1);
    expect(heard).toBe(0);
    upstream.close();
  });
});
