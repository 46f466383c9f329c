import { createSocket, type Socket } from "node:dgram";
import { readFileSync, writeFileSync } from "node:fs";
import { encodeQuestion, readAnswer } from "./dns-message.ts";
import { fetchPage } from "./fetch-page.ts";

/** PollAsk is what the poller is to do; it stands in the file that the first argument names. */
export interface PollAsk {
  readonly server: string;
  readonly names: readonly string[];
  /** Every so many names, one is connected to in the moment of its first answer. */
  readonly sampleEvery: number;
  readonly port: number;
  readonly timeoutMs: number;
  /** File for the result. */
  readonly out: string;
}

/** PollResult is written when every name was answered, or the time is over. Stamps are those of stampMs. */
export interface PollResult {
  /** By the place of the name: when its first answer came, and what it said; null where none came. */
  readonly answers: readonly ({ readonly atMs: number; readonly addresses: readonly string[] } | null)[];
  readonly pages: readonly { readonly index: number; readonly good: boolean; readonly doneMs: number }[];
  /** Afterwards one connection was made to each name's address: how many brought a page. */
  readonly reached: number;
}

const TICK_MS = 2;
/** Questions per tick: few while nothing is answered at all, so that waiting costs nothing. */
const IDLE_QUESTIONS = 1;
const BUSY_QUESTIONS = 4;
/** A first answer is followed by the next question at once, as long as no more than so many are under way: the poller
 *  is as fast as names come, and never what they wait for. */
const MOST_UNDER_WAY = 64;
/** Connections at a time when all names are connected to at the end. */
const LANES = 16;
const NOTE_EVERY = 500;

const now = (): number => Number(process.hrtime.bigint()) / 1e6;

/** pollNames asks for all names in turn over one socket until each was answered; its id is the name's place. */
async function pollNames(ask: PollAsk): Promise<PollResult> {
  const answers: PollResult["answers"][number][] = ask.names.map(() => null);
  const pages: Promise<PollResult["pages"][number]>[] = [];
  const pending = new Set(ask.names.keys());
  const done = Promise.withResolvers<void>();
  const socket = createSocket("udp4");
  const askNext = questioner(ask, socket, pending);
  let underWay = 0;
  socket.on("message", (message) => {
    underWay -= 1;
    const answer = readAnswer(message);
    if (answer === undefined || answer.addresses.length === 0 || !pending.delete(answer.id)) return;
    answers[answer.id] = { atMs: now(), addresses: answer.addresses };
    if (answer.id % ask.sampleEvery === 0) pages.push(samplePage(ask, answer.id, answer.addresses[0] ?? ""));
    const answered = ask.names.length - pending.size;
    if (answered % NOTE_EVERY === 0 || pending.size === 0) note({ answered, atMs: now() });
    if (pending.size === 0) done.resolve();
    else if (underWay < MOST_UNDER_WAY) underWay += askNext();
  });
  const timer = setInterval(() => {
    const questions = pending.size === ask.names.length ? IDLE_QUESTIONS : BUSY_QUESTIONS;
    if (underWay > MOST_UNDER_WAY) underWay = 0; // some were lost
    for (let i = 0; i < questions && pending.size > 0; i++) underWay += askNext();
  }, TICK_MS);
  const timeout = setTimeout(() => done.resolve(), ask.timeoutMs);
  note({ polling: true });
  await done.promise;
  clearInterval(timer);
  clearTimeout(timeout);
  const sampled = await Promise.all(pages);
  note({ sampled: sampled.length, atMs: now() });
  socket.close();
  return { answers, pages: sampled, reached: await reachAll(answers, ask.port) };
}

/** questioner gives a function that asks for the next pending name, round and round, and gives the questions it sent. */
function questioner({ names, server }: PollAsk, socket: Socket, pending: ReadonlySet<number>): () => number {
  let turn: Iterator<number> = pending.values();
  return () => {
    let next = turn.next();
    if (next.done === true) {
      turn = pending.values();
      next = turn.next();
    }
    if (next.done === true) return 0;
    socket.send(encodeQuestion(next.value, names[next.value] ?? ""), 53, server);
    return 1;
  };
}

async function samplePage({ port }: PollAsk, index: number, address: string): Promise<PollResult["pages"][number]> {
  const { good } = await fetchPage(address, port);
  return { index, good, doneMs: now() };
}

/** reachAll connects once to every address, some at a time, and counts the pages. */
async function reachAll(answers: PollResult["answers"], port: number): Promise<number> {
  const left = answers.flatMap((answer) => answer?.addresses[0] ?? []);
  let reached = 0;
  const lane = async (): Promise<void> => {
    for (let address = left.pop(); address !== undefined; address = left.pop()) {
      if ((await fetchPage(address, port)).good) reached += 1;
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return reached;
}

function note(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

// Runs in a pod: `poll-names.ts ASK.json`; its last line says that the result stands in the file.
if (import.meta.main) {
  const ask = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as PollAsk;
  writeFileSync(ask.out, JSON.stringify(await pollNames(ask)));
  note({ done: true });
}
