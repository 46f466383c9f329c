import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { describe, expect, test } from "vitest";
import { fakeRecord } from "./fake-desk.ts";
import { type Api, ManualClock, startApi, TOKEN } from "./testbed.ts";

interface Event {
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly data: {
    readonly revision: number;
    readonly put: readonly { key: string }[];
    readonly removed: readonly string[];
  };
}

/** Events reads a stream as a browser does: blocks between empty lines; `raw` is everything that came. */
class Events implements Disposable {
  readonly #response: IncomingMessage;
  readonly #parts: AsyncIterator<string>;
  raw = "";

  constructor(response: IncomingMessage) {
    this.#response = response;
    this.#parts = response.setEncoding("utf8")[Symbol.asyncIterator]();
  }

  async block(): Promise<string> {
    while (!this.raw.includes("\n\n")) {
      const { value, done } = await this.#parts.next();
      if (done === true) throw new Error(`the stream ended: ${this.raw}`);
      this.raw += value;
    }
    const end = this.raw.indexOf("\n\n");
    const block = this.raw.slice(0, end);
    this.raw = this.raw.slice(end + 2);
    return block;
  }

  async next(): Promise<Event> {
    const block = await this.block();
    if (block.startsWith(":")) return await this.next();
    const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1];
    return { id: field("id"), name: field("event"), data: JSON.parse(field("data") ?? "null") };
  }

  async take(count: number): Promise<readonly Event[]> {
    const events: Event[] = [];
    while (events.length < count) events.push(await this.next());
    return events;
  }

  [Symbol.dispose](): void {
    this.#response.destroy();
  }
}

async function watch(api: Api, query: string, headers: Record<string, string> = {}): Promise<Events> {
  const { host, port } = api.at;
  const authorization = `Bearer ${TOKEN}`;
  const call = request({ host, port, path: `/v1/watch${query}`, headers: { authorization, ...headers }, agent: false });
  call.end();
  const [response] = (await once(call, "response")) as [IncomingMessage];
  response.on("error", () => {});
  expect(response.statusCode).toBe(200);
  expect(response.headers["content-type"]).toBe("text/event-stream");
  return new Events(response);
}

const brief = ({ id, name, data }: Event) => [name, id, data.put?.map(({ key }) => key), data.removed];

describe("watch()", () => {
  test("tells first what changed since a revision, then that this is all, then what happens", async () => {
    await using api = await startApi();
    using events = await watch(api, "?since=1");
    expect((await events.take(3)).map(brief)).toEqual([
      ["change", "2", ["member/amber", "head/amber"], []],
      ["change", "3", ["export/amber/shop/web", "grant/1", "member/birch"], []],
      ["synced", "3", undefined, undefined],
    ]);
    api.desk.write([fakeRecord("head/amber", 2)], ["grant/1"]);
    expect(brief(await events.next())).toEqual(["change", "4", ["head/amber"], ["grant/1"]]);
  });

  test("begins with now when it is given no revision", async () => {
    await using api = await startApi();
    using events = await watch(api, "");
    expect(brief(await events.next())).toEqual(["synced", "3", undefined, undefined]);
  });

  test("tells each record once, as it is now, and removals first and without an id", async () => {
    await using api = await startApi();
    for (let seq = 2; seq < 20; seq += 1) api.desk.write([fakeRecord("head/amber", seq)], []);
    api.desk.write([], ["member/birch"]);
    using events = await watch(api, "?since=3");
    expect((await events.take(3)).map(brief)).toEqual([
      ["change", undefined, [], ["member/birch"]],
      ["change", "21", ["head/amber"], []],
      ["synced", "22", undefined, undefined],
    ]);
  });

  test("goes on from Last-Event-ID rather than from the URL", async () => {
    await using api = await startApi();
    using events = await watch(api, "?since=1", { "last-event-id": "2" });
    expect((await events.next()).id).toBe("3");
  });

  test("refuses a revision that the log does not know any more, or does not have yet", async () => {
    await using api = await startApi();
    api.desk.oldest = 2;
    for (const since of [1, 99]) {
      const answer = await api.ask({ path: `/v1/watch?since=${since}` });
      expect(answer.json).toMatchObject({ status: 410, code: "revision-gone" });
    }
    expect((await api.ask({ path: "/v1/watch?since=-1" })).status).toBe(400);
    expect(api.desk.listeners.size).toBe(0);
  });

  test("cuts a large revision into events of which the last has the id", async () => {
    await using api = await startApi();
    using events = await watch(api, "");
    await events.next();
    const body = JSON.stringify({ text: "x".repeat(50_000) });
    api.desk.write(
      [1, 2, 3, 4, 5].map((n) => ({ ...fakeRecord(`export/oak/shop/s${n}`), body })),
      [],
    );
    const parts = await events.take(3);
    expect(parts.map(({ id }) => id)).toEqual([undefined, undefined, "4"]);
    expect(parts.flatMap(({ data }) => data.put)).toHaveLength(5);
  });

  test("sends a comment when nothing happens", async () => {
    const clock = new ManualClock();
    await using api = await startApi({ clock });
    using events = await watch(api, "");
    await events.next();
    clock.advance(15_000);
    expect(await events.block()).toBe(":");
  });

  test("a reader that falls behind gets the newest state, each record once", async () => {
    await using api = await startApi();
    using events = await watch(api, "");
    await events.next();
    for (let seq = 1; seq <= 500; seq += 1) api.desk.write([fakeRecord("head/oak", seq)], []);
    const last = 503;
    const seen: Event[] = [];
    while (seen.at(-1)?.id !== String(last)) seen.push(await events.next());
    expect(seen.length).toBeLessThan(70);
    const ids = seen.flatMap(({ id }) => (id === undefined ? [] : [Number(id)]));
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
  });

  test("a reader that takes nothing is cut, and nothing of it stays", async () => {
    const clock = new ManualClock();
    await using api = await startApi({ clock });
    using events = await watch(api, ""); // reads no more than this needs
    await events.next();
    const body = JSON.stringify({ text: "x".repeat(800_000) });
    for (let n = 0; n < 40; n += 1) api.desk.write([{ ...fakeRecord(`export/oak/shop/s${n}`), body }], []);
    while (api.desk.listeners.size > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(10_000);
    }
    await expect(events.take(50)).rejects.toThrow();
  });

  test("ends for the desk when the reader goes, and for the reader when the server stops", async () => {
    const api = await startApi();
    const first = await watch(api, "");
    const second = await watch(api, "");
    await Promise.all([first.next(), second.next()]);
    expect(api.desk.listeners.size).toBe(2);
    first[Symbol.dispose]();
    while (api.desk.listeners.size > 1) await new Promise((resolve) => setImmediate(resolve));
    await api.stop();
    expect(api.desk.listeners.size).toBe(0);
    await expect(second.next()).rejects.toThrow("the stream ended");
  });

  test("a HEAD is answered and ends", async () => {
    await using api = await startApi();
    const answer = await api.ask({ path: "/v1/watch", method: "HEAD" });
    expect([answer.status, answer.headers["content-type"]]).toEqual([200, "text/event-stream"]);
    expect(api.desk.listeners.size).toBe(0);
  });

  test("has room for 64 watchers, and again when one has gone", async () => {
    await using api = await startApi();
    const all = await Promise.all(Array.from({ length: 64 }, () => watch(api, "")));
    expect((await api.ask({ path: "/v1/watch" })).json).toMatchObject({ status: 503, code: "unavailable" });
    all.pop()?.[Symbol.dispose]();
    while (api.desk.listeners.size > 63) await new Promise((resolve) => setImmediate(resolve));
    all.push(await watch(api, ""));
    for (const events of all) events[Symbol.dispose]();
  });
});
