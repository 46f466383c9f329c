import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { parseToken } from "#identity";
import { silentLog, systemClock } from "#life";
import { lockDataDir, openSqliteStore } from "#store";
import { type Cidr, expect, type Uid } from "#values";
import { grantBody, memberBody, parseBody } from "#wire";
import { type Acknowledged, faultsInLog } from "./allocation-log.ts";
import type { LoopbackBroker } from "./loopback-broker.ts";
import { type RawBatch, RawMember } from "./raw-member.ts";

export interface StormAsk {
  readonly joins: number;
  /** Times that the broker is killed, spread over the joins at random moments. */
  readonly kills: number;
  /** Members that join and leave at the same time. */
  readonly parallel: number;
  readonly random: () => number;
}

export interface Storm {
  readonly told: readonly Acknowledged[];
  readonly kills: number;
  /** Sessions that ended under a member: each was tried again. */
  readonly cuts: number;
  readonly faults: readonly string[];
}

/** One in so many stays a member: what it has must outlive all that comes after. */
const STAYS = 4;

/** joinStorm has members join and leave while the broker is killed again and again, and reads the log at the end. The
 *  broker is stopped then. */
export async function joinStorm(broker: LoopbackBroker, ask: StormAsk): Promise<Storm> {
  const token = expect(parseToken(await broker.invite(ask.joins)));
  const [url, ca] = [broker.url, await broker.ca()];
  const told: Acknowledged[] = [];
  let [next, cuts, kills] = [0, 0, 0];
  const one = async (): Promise<void> => {
    while (next < ask.joins) {
      const n = next++;
      const guest = new Guest(url, ca, n);
      cuts += await guest.join(token);
      const left = n % STAYS !== 0;
      if (left) cuts += await guest.leave();
      else await guest.member.drop();
      told.push({ cluster: guest.cluster, uid: guest.uid, prefix: guest.prefix, left });
    }
  };
  const killer = async (): Promise<void> => {
    for (let k = 1; k <= ask.kills; k += 1) {
      const at = Math.floor((ask.joins * (k - 0.5)) / ask.kills);
      while (told.length < at) await sleep(5);
      await sleep(ask.random() * 80);
      await broker.end("SIGKILL");
      kills += 1;
      await broker.serve();
    }
  };
  await Promise.all([killer(), ...Array.from({ length: ask.parallel }, one)]);
  await broker.end("SIGTERM");
  return { told, kills, cuts, faults: faultsIn(broker.data, told) };
}

/** Guest is one cluster that joins, and perhaps leaves, whatever happens to the broker meanwhile. */
class Guest {
  readonly cluster: string;
  readonly uid = randomUUID() as Uid;
  readonly member: RawMember;
  prefix = "" as Cidr;

  constructor(url: string, ca: string, n: number) {
    this.cluster = `c${n}`;
    const onBatch = (batch: RawBatch): void => this.#read(batch);
    this.member = new RawMember({ url, ca, cluster: this.cluster, uid: this.uid, podCidr: "10.244.0.0/20", onBatch });
  }

  /** join tries until it is told that it is in; gives how often it had to. */
  async join(token: Parameters<RawMember["connect"]>[0]): Promise<number> {
    for (let tries = 0; ; tries += 1) {
      const end = await this.member.connect(token);
      if (end === "live" && this.prefix !== "") return tries;
      if (end !== "cut") throw new Error(`${this.cluster} was refused: ${end}`);
      await sleep(30);
    }
  }

  /** A leave whose answer was lost is asked again: then it is refused as one that left. */
  async leave(): Promise<number> {
    for (let tries = 0; ; tries += 1) {
      const answer = await this.member.leave();
      if (answer?.t === "ack") return tries;
      if (answer !== null) throw new Error(`${this.cluster} may not leave: ${JSON.stringify(answer)}`);
      const end = await this.member.connect(null);
      if (end === "left") return tries + 1;
      if (end !== "live") await sleep(30);
    }
  }

  #read({ put }: RawBatch): void {
    for (const { key, body } of put) {
      const grant = key.startsWith("grant/") ? parseBody(grantBody, body) : undefined;
      for (const entry of grant?.ok === true ? grant.value.entries : []) {
        if (entry.kind === "pods" && entry.cluster === this.cluster) this.prefix = entry.prefix;
      }
    }
  }
}

/** faultsIn opens the store of a broker that has ended, as its next start would, and reads its log. */
function faultsIn(dir: string, told: readonly Acknowledged[]): readonly string[] {
  const lock = expect(lockDataDir(dir));
  const store = expect(openSqliteStore({ dir, clock: systemClock, log: silentLog, lock }));
  try {
    const records = [...store.records()].map(({ envelope }) => envelope);
    const members = records.flatMap(({ key, body }) => {
      const parsed = key.startsWith("member/") ? parseBody(memberBody, body) : undefined;
      return parsed?.ok === true ? [parsed.value] : [];
    });
    const joined = members.filter(({ generation }) => generation !== 1);
    const twice = joined.map(({ cluster, generation }) => `${cluster} joined ${generation} times`);
    const strangers = members.length === told.length ? [] : [`${members.length} members, ${told.length} were told so`];
    const chain = store.verifyAudit();
    return [...faultsInLog(records, told), ...twice, ...strangers, ...(chain.ok ? [] : [chain.error])];
  } finally {
    store.close();
    lock[Symbol.dispose]();
  }
}
