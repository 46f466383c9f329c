import { createSocket } from "node:dgram";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { LOOPBACK, planOf, type Running, serve, until } from "./testbed.ts";

const WEB = "web.shop.svc.clusterset.local";

/** A block for the zone at the test's own port. */
const block = (lines: string, zone = "clusterset.local:{$DNS}"): string => `${zone} {\n bind 127.0.0.1\n${lines}\n}\n`;

describe("a Corefile is served: over sockets,", () => {
  test("[4.2-longest] [4.2-no-plugins] a name belongs to the longest zone, and one without plugins is REFUSED", async () => {
    await using running = await serve(
      `${block("multicluster clusterset.local", ".:{$DNS}")}${block("", "other.test:{$DNS}")}${block("errors", "none.test:{$OTHER}")}`,
    );
    expect((await running.ask(WEB)).answers.map(({ data }) => data)).toEqual(["242.192.0.1"]);
    expect((await running.ask("a.other.test")).rcode).toBe("REFUSED");
    expect((await running.ask(WEB, "A", { port: running.ports.OTHER })).rcode).toBe("REFUSED");
  });

  test("[4.2-bind] listens where it is told, interfaces included, less what is excepted", async () => {
    await using running = await serve("clusterset.local:{$DNS} {\n bind lo\n multicluster\n}");
    expect((await running.ask(WEB)).rcode).toBe("NOERROR");
    expect((await running.ask(WEB, "A", { tcp: true })).rcode).toBe("NOERROR");
    expect(() => planOf("a.test {\n bind lo {\n except 127.0.0.1\n }\n}")).toThrow("bind leaves no address");
    expect(() => planOf("a.test {\n bind eth7\n}")).toThrow("bind eth7: is neither an address nor an interface");
  });

  test("[4.2-acl] blocks, filters and drops by type and source, the first match first", async () => {
    const acl =
      "acl {\n allow type AAAA\n block type TXT net 127.0.0.0/8\n filter type A net 127.0.0.1\n drop type NS\n block net 10.0.0.0/8\n}";
    await using running = await serve(block(`multicluster\nprometheus 127.0.0.1:{$PROM}\n${acl}`));
    expect((await running.ask(WEB, "AAAA")).answers.length).toBe(1);
    const blocked = await running.ask(WEB, "TXT");
    expect([blocked.rcode, blocked.extendedError]).toEqual(["REFUSED", 18]);
    const filtered = await running.ask(WEB, "A", { tcp: true });
    expect([filtered.rcode, filtered.answers.length, filtered.extendedError]).toEqual(["NOERROR", 0, 17]);
    expect((await running.ask(WEB, "SRV")).answers.length).toBe(1);
    await expect(silence(running)).resolves.toBe(true);
  });

  test("[4.2-bufsize] no UDP reply is longer", async () => {
    const many = Array.from({ length: 60 }, (_, i) => `{ addresses: [242.1.1.${i}] }`).join(", ");
    const imports = [
      "{apiVersion: multicluster.x-k8s.io/v1beta1, kind: ServiceImport, metadata: {name: many, namespace: shop}, spec: {type: Headless}}",
      `{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, metadata: {name: many-1, namespace: shop, labels: {multicluster.kubernetes.io/service-name: many, multicluster.kubernetes.io/source-cluster: amber}}, endpoints: [${many}]}`,
    ].join("\n---\n");
    await using running = await serve(block("multicluster\nbufsize 600"), imports);
    const [, length = 0] = await exchange(running, question("many.shop.svc.clusterset.local", 1));
    expect(length).toBeLessThanOrEqual(600);
    expect((await running.ask("many.shop.svc.clusterset.local")).answers.length).toBe(60); // by TCP, after TC
  });

  test("[4.2-any] ANY is one record", async () => {
    await using running = await serve(block("multicluster\nany"));
    expect((await running.ask(WEB, "ANY")).answers.map(({ type }) => type)).toEqual(["HINFO"]);
  });

  test("[4.2-noendpoints] headless names do not exist", async () => {
    await using running = await serve(block("multicluster {\n noendpoints\n }"));
    expect((await running.ask("db.shop.svc.clusterset.local")).rcode).toBe("NXDOMAIN");
    expect((await running.ask("db-0.amber.db.shop.svc.clusterset.local")).rcode).toBe("NXDOMAIN");
    expect((await running.ask(WEB)).rcode).toBe("NOERROR");
  });

  test("[4.2-log] a line per query, by name and class, in the format that is asked for", async () => {
    const log =
      'log . "{type} {name} {rcode} {proto} {>rflags} {/none}" {\n class denial\n }\nlog shop.svc.clusterset.local';
    await using running = await serve(block(`multicluster\n${log}`));
    await running.ask("WEB.shop.svc.clusterset.local");
    await running.ask("gone.clusterset.local");
    const lines = await until(
      async () => running.lines,
      (all) => all.length >= 2,
    );
    expect(lines[0]).toMatch(
      /^\[INFO\] 127\.0\.0\.1:\d+ - \d+ "A IN web\.shop\.svc\.clusterset\.local\. udp \d+ false 1232" NOERROR qr,aa \d+ 0\.\d+s\n$/,
    );
    expect(lines[1]).toBe("[INFO] A gone.clusterset.local. NXDOMAIN udp qr,aa -\n");
    expect(lines.length).toBe(2);
  });

  test("[4.2-log] no name can break a line", async () => {
    await using running = await serve(block("multicluster\nlog"));
    await exchange(running, question("x\n[INFO] all is well\u001b.clusterset.local", 1));
    const [line = ""] = await until(
      async () => running.lines,
      (all) => all.length > 0,
    );
    expect(line).toContain("x\\010[info]\\032all\\032is\\032well\\027.clusterset.local.");
    expect(line.trimEnd()).toMatch(/^[ -~]+$/);
  });

  test("[4.2-errors] a failure is a line, and many are one where that is asked for", async () => {
    const late = block('multicluster\nerrors {\n consolidate 10ms ".*gone.*" warning show_first\n }\n').replace(
      "multicluster",
      "kubernetes {\n multicluster clusterset.local\n startup_timeout 1ms\n }",
    );
    await using running = await serve(late, null, false);
    await until(
      () => running.ask("a.clusterset.local"),
      ({ rcode }) => rcode === "SERVFAIL",
    );
    for (let i = 0; i < 3; i++) await running.ask("gone.clusterset.local");
    const all = await until(
      async () => running.lines.join(""),
      (text) => text.includes("errors like"),
    );
    expect(all).toContain("[ERROR] plugin/errors: 2 a.clusterset.local. A: not ready");
    expect(all).toContain("[WARNING] plugin/errors: 2 gone.clusterset.local. A: not ready");
  });

  test("[4.2-reload] a changed Corefile is in force without a query lost", async () => {
    const text = (ttl: number): string => block(`kubernetes {\n multicluster clusterset.local\n ttl ${ttl}\n }\n`);
    await using running = await serve(text(7));
    let [asked, answered, changed] = [0, 0, false];
    const asking = (async () => {
      while (!changed) {
        asked += 1;
        answered += Number((await running.ask(WEB)).rcode === "NOERROR");
      }
    })();
    expect(await running.nameserver.change(running.plan(text(9)))).toEqual({ ok: true, value: undefined });
    changed = true;
    await asking;
    expect(answered).toBe(asked);
    expect((await running.ask(WEB)).answers[0]?.ttl).toBe(9);
    expect((await running.ask(WEB, "A", { tcp: true })).answers[0]?.ttl).toBe(9);
  });
});

/** silence reports that a question of type NS gets no reply while a later one does. */
async function silence(running: Running): Promise<boolean> {
  const socket = createSocket("udp4");
  try {
    socket.connect(running.ports.DNS, LOOPBACK);
    await once(socket, "connect");
    socket.send(question(WEB, 2, 1));
    socket.send(question(WEB, 28, 2));
    const [reply] = (await once(socket, "message")) as [Buffer];
    return reply.readUInt16BE(0) === 2;
  } finally {
    socket.close();
  }
}

/** exchange sends octets and gives the reply's flags and length. */
async function exchange(running: Running, octets: Buffer): Promise<readonly [flags: number, length: number]> {
  const socket = createSocket("udp4");
  try {
    socket.connect(running.ports.DNS, LOOPBACK);
    await once(socket, "connect");
    socket.send(octets);
    const [reply] = (await once(socket, "message")) as [Buffer];
    return [reply.readUInt16BE(2), reply.length];
  } finally {
    socket.close();
  }
}

/** A query with an OPT that takes 4096 octets. */
function question(name: string, type: number, id = 1): Buffer {
  const labels = name.split(".").flatMap((label) => [Buffer.from([label.length]), Buffer.from(label, "latin1")]);
  const head = Buffer.from([id >> 8, id & 255, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
  return Buffer.concat([
    head,
    ...labels,
    Buffer.from([0, type >> 8, type & 255, 0, 1, 0, 0, 41, 16, 0, 0, 0, 0, 0, 0, 0]),
  ]);
}
