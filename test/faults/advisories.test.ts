import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BROKER_NAME } from "#identity";
import { SYNC_PATH } from "#sync";
import type { ClusterId } from "#values";
import { MemberDouble, type MemberOptions } from "../hostile/member-double.ts";
import { Signer } from "../hostile/signer.ts";
import { checkInvariants } from "./invariants.ts";
import { Scene, type Side } from "./scene.ts";

/** What went wrong in other programs' sessions, tokens and peerings, tried here: each by the id of its advisory. Where the
 *  test of a room tries the same, the id stands in that one's name. */

let scene: Scene;
let amber: Side;
let birch: Side;
const elm = new Signer("elm");
beforeAll(async () => {
  scene = await Scene.raise();
  scene.relay.patient = true;
  [amber, birch] = [scene.side("amber"), scene.side("birch")];
  await (await MemberDouble.joined({ ...at(), signer: elm, token: await scene.broker.invite() }))[
    Symbol.asyncDispose
  ]();
  await checkInvariants(scene);
}, 60_000);
afterAll(() => scene?.[Symbol.asyncDispose]());

const at = () => ({ url: scene.broker.url, ca: scene.broker.ca });

let from = 10;
/** attempt logs in and gives the code of the refusal; undefined where it was let in. Refusals are counted by address. */
async function attempt(options: Partial<MemberOptions>): Promise<string | undefined> {
  from += 1;
  await using double = await MemberDouble.dial({ ...at(), signer: elm, from: `127.0.0.${from}`, ...options });
  return double.refusal()?.code;
}

describe("a login", () => {
  test.each(["", "A", "a/b", "amber.shop", "..", "a\nb", "-a", "x".repeat(64), "\u0430mber"])(
    "[CVE-2021-41803] under the name %j is refused before anything is looked up, and changes nothing",
    async (name) => {
      const before = await scene.broker.witness();
      const forgeSigned: MemberOptions["forgeSigned"] = (login) => ({ ...login, cluster: name as ClusterId });
      expect(await attempt({ forgeSigned })).toBe("bad-message");
      expect(await scene.broker.witness()).toEqual(before);
    },
  );

  test.each([
    ["cluster", "amber", "duplicate-cluster|bad-proof"],
    ["gateway", "amber-1", "bad-proof"],
    ["uid", "00000000-0000-4000-8000-00000000000a", "other-uid|bad-proof"],
  ])(
    "[CVE-2022-40716] that has two of %s is of one identity, the one that is proven, or refused",
    async (field, other, code) => {
      const before = await scene.broker.witness();
      const twice = (pair: (mine: string) => string) => {
        return (text: string) => text.replace(new RegExp(`"${field}":("[^"]*")`), (_, mine: string) => pair(mine));
      };
      const asOther = twice((mine) => `"${field}":${mine},"${field}":"${other}"`);
      const asItself = twice((mine) => `"${field}":"${other}","${field}":${mine}`);
      expect(await attempt({ rewrite: asOther })).toMatch(new RegExp(`^(${code})$`));
      expect(await attempt({ rewrite: asItself })).toBeUndefined();
      expect(await scene.broker.witness()).toEqual(before);
      await checkInvariants(scene);
    },
  );

  test("[GHSA-v2jf-442r-6mjh] that was recorded is worth nothing, also to a broker that has been started anew", async () => {
    let recorded = "";
    const record: MemberOptions["rewrite"] = (text) => {
      if (text.includes('"t":"login"')) recorded = text;
      return text;
    };
    expect(await attempt({ rewrite: record })).toBeUndefined();
    const replay: MemberOptions["rewrite"] = (text) => (text.includes('"t":"login"') ? recorded : text);
    expect(await attempt({ rewrite: replay })).toBe("bad-proof");
    await scene.broker.kill();
    await scene.broker.start();
    expect(await attempt({ rewrite: replay })).toBe("bad-proof");
    for (const side of scene.sides) await scene.connected(side);
    await checkInvariants(scene);
  });
});

describe("a session", () => {
  test("[CVE-2023-1297] [CVE-2023-0845] [CVE-2022-3920] two members export one service, a third talks nonsense: all is served", async () => {
    await using watch = scene.watch(birch);
    for (const side of [amber, birch]) scene.export(side, "both");
    await checkInvariants(scene);
    for (const nonsense of ["{", "[]", '{"t":"publish"}', '{"t":"tell","put":[null],"more":false}', '{"t":"batch"}']) {
      await using double = await MemberDouble.dial({ ...at(), signer: elm });
      double.say(nonsense);
      expect(await double.closed).toBe(1008);
    }
    const { imports } = await scene.status(birch);
    expect(imports.find(({ name }) => name === "both")?.clusters.toSorted()).toEqual(["amber", "birch"]);
    scene.withdraw(birch, "both");
    await checkInvariants(scene);
    expect(watch.lapses).toEqual([]);
  });
});

/** upgrade sends a request for a session with these headers, and gives what comes back. */
async function upgrade(headers: readonly string[]): Promise<string> {
  const socket = connectTls({ port: scene.broker.place.port, ca: scene.broker.ca, servername: BROKER_NAME });
  socket.on("error", () => {});
  let heard = "";
  socket.on("data", (data) => {
    heard += String(data);
  });
  const closed = new Promise((resolve) => socket.once("close", resolve));
  const asked = ["Host: broker", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
  socket.write(`${[`GET ${SYNC_PATH} HTTP/1.1`, ...headers, ...asked].join("\r\n")}\r\n\r\n`);
  setTimeout(() => socket.end(), 1000).unref(); // where it is taken for a session, that one ends too
  await closed;
  return heard.split("\r\n")[0] ?? "";
}

describe("the port of the sessions", () => {
  test.each([
    ["[CVE-2024-37890] 1,990 headers", Array.from({ length: 1990 }, () => "a:")],
    ["[CVE-2024-37890] 3,000 headers", Array.from({ length: 3000 }, () => "a:")],
    ["[CVE-2024-37890] headers of 100 KiB", [`a: ${"x".repeat(100_000)}`]],
    ["[CVE-2021-32640] a protocol header of 1 MB", [`Sec-WebSocket-Protocol: ${" ".repeat(1_000_000)}x`]],
  ])("survives %s, and nobody is let in", async (_, headers) => {
    expect(await upgrade(headers)).not.toContain("101");
    expect(await attempt({})).toBeUndefined();
    await checkInvariants(scene);
  });

  test("[CVE-2020-7219] serves on while hundreds of strangers say nothing, or half of a greeting", async () => {
    const sockets: Socket[] = [];
    try {
      for (let n = 0; n < 300; n += 1) {
        const local = { localAddress: `127.3.0.${(n % 200) + 1}` };
        const socket = connectTcp({ port: scene.broker.place.port, host: "127.0.0.1", ...local });
        socket.on("error", () => {});
        sockets.push(socket);
        if (n % 3 > 0) socket.write(n % 3 === 1 ? "\u0016\u0003\u0001" : "G");
      }
      await Promise.all(sockets.map((socket) => once(socket, "connect")));
      scene.export(amber, "amber-besieged");
      expect(await attempt({})).toBeUndefined();
      await checkInvariants(scene);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });
});
