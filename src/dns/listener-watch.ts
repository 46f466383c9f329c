import { ACCESS, type Access, AccessList } from "./access-list.ts";
import type { Asker } from "./asker.ts";
import type { Query } from "./query.ts";
import { type Exchanged, QueryLogWriter } from "./query-log.ts";
import { Tally } from "./tally.ts";
import type { WatchShare } from "./watch-share.ts";

const NOTHING = new Uint8Array(0);

/** ListenerWatch stands beside one listener's answerer: who may ask, what is counted, what is logged. Nothing is
 *  allocated per query. The loop says who asks and when a batch begins and ends; the answerer tells the rest. */
export class ListenerWatch {
  readonly #access: AccessList | undefined;
  readonly #tally: Tally | undefined;
  readonly #log: QueryLogWriter | undefined;
  readonly #none: number;
  #began = 0;
  readonly #one: Exchanged = {
    octets: NOTHING,
    at: 0,
    length: 0,
    questionEnd: 0,
    out: 0,
    replied: 0,
    from: NOTHING,
    fromAt: 0,
    fromLength: 0,
    port: 0,
    tcp: false,
    edns: false,
    dnssecOk: false,
    udpSize: 0,
    rcode: 0,
    zone: 0,
  };

  constructor({ acl, tally, logs, zones }: WatchShare, listener: number, tcp: boolean) {
    const row = listener * 2 + Number(tcp);
    const log = logs[row];
    this.#access = acl.length === 0 ? undefined : new AccessList(acl);
    this.#tally = tally === undefined ? undefined : new Tally(tally, row, zones);
    this.#log = log === undefined ? undefined : new QueryLogWriter(log);
    this.#none = zones - 1;
    this.#one.tcp = tcp;
  }

  /** begin and end enclose the queries of one batch, which share its time. */
  begin(): void {
    this.#began = performance.now();
  }

  end(): void {
    const seconds = (performance.now() - this.#began) / 1000;
    this.#tally?.took(seconds);
    this.#log?.took(seconds);
  }

  /** asker says who asks, and from which port. */
  asker({ octets, at, length }: Asker, port: number): void {
    this.#one.from = octets;
    this.#one.fromAt = at;
    this.#one.fromLength = length;
    this.#one.port = port;
  }

  /** judge asks the access list about a question in one of the zones. */
  judge(octets: Uint8Array, at: number, query: Query, zone: number): Access {
    if (this.#access === undefined) return ACCESS.allow;
    const { from, fromAt, fromLength } = this.#one;
    const access = this.#access.judge(octets, at, query, from, fromAt, fromLength);
    this.#tally?.access(Math.min(zone, this.#none), access);
    return access;
  }

  /** note counts a well-formed query and its reply of `replied` octets at `out`; 0: there was none. A zone below 0 is
   *  none of ours. */
  note(
    octets: Uint8Array,
    at: number,
    length: number,
    out: number,
    replied: number,
    query: Query,
    rcode: number,
    zone: number,
  ): void {
    const counted = zone < 0 || zone > this.#none ? this.#none : zone;
    this.#tally?.query(counted, query.type, query.dnssecOk, length);
    if (replied > 0) this.#tally?.reply(counted, rcode, replied);
    if (this.#log === undefined) return;
    const one = this.#one;
    one.octets = octets;
    one.at = at;
    one.length = length;
    one.out = out;
    one.replied = replied;
    one.questionEnd = query.questionEnd;
    one.edns = query.edns;
    one.dnssecOk = query.dnssecOk;
    one.udpSize = query.udpSize;
    one.rcode = rcode;
    one.zone = counted;
    this.#log.write(one);
  }
}
