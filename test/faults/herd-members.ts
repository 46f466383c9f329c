import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { type JoinToken, parseToken } from "#identity";
import { backoffMs } from "#life";
import { expect, type Uid } from "#values";
import { RawMember } from "../../prove/raw-member.ts";
import type { HerdAsk, Returned } from "./herd.ts";

/** A part of a herd, in a process of its own: members that join one broker, and lose and seek it again all at once, each time a
 *  line comes in. What it says goes to stdout, a line of JSON each. */

const AT_ONCE = 5;
/** As a gateway waits: full jitter over a span that doubles. */
const FIRST_WAIT_MS = 200;
const MOST_WAIT_MS = 10_000;

/** seek dials until the member is in, and gives how often it had to. */
async function seek(member: RawMember, token: JoinToken | null): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    if ((await member.connect(token)) === "live") return attempt;
    await sleep(backoffMs(attempt, Math.random, { firstMs: FIRST_WAIT_MS, maxMs: MOST_WAIT_MS }));
  }
}

async function joinAll(members: readonly RawMember[], token: JoinToken): Promise<void> {
  const waiting = [...members];
  const work = async (): Promise<void> => {
    for (let member = waiting.pop(); member !== undefined; member = waiting.pop()) await seek(member, token);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** Every session ends without a word, and every member is at the door as soon as a gateway would be. */
async function lose(members: readonly RawMember[]): Promise<Returned> {
  await Promise.all(members.map((member) => member.drop()));
  const start = performance.now();
  let first = Number.POSITIVE_INFINITY;
  const tries = await Promise.all(
    members.map(async (member) => {
      await sleep(backoffMs(0, Math.random, { firstMs: FIRST_WAIT_MS, maxMs: MOST_WAIT_MS }));
      const tries = await seek(member, null);
      first = Math.min(first, performance.now() - start);
      return tries;
    }),
  );
  const lastMs = performance.now() - start;
  return { firstMs: first, lastMs, tries: tries.reduce((sum, n) => sum + n, 0) };
}

const say = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);

const ask = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as HerdAsk;
const members = Array.from({ length: ask.members }, (_, i) => {
  const n = ask.first + i;
  const podCidr = "10.244.0.0/20";
  const from = `127.1.${Math.floor(n / 200)}.${(n % 200) + 1}`; // an address of its own for each
  const cluster = `herd-${n}`;
  return new RawMember({ url: ask.url, ca: ask.ca, cluster, uid: randomUUID() as Uid, podCidr, from, onBatch() {} });
});
await joinAll(members, expect(parseToken(ask.token)));
say({ joined: members.length });
for await (const _ of createInterface({ input: process.stdin })) say(await lose(members));
process.exit(0);
