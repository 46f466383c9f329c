/** Row is one fault or advisory that has a test here: its id, and what must hold, in a few words. */
export interface Row {
  readonly id: string;
  readonly title: string;
}

const rows = (texts: Readonly<Record<string, string>>): readonly Row[] =>
  Object.entries(texts).map(([id, title]) => ({ id, title }));

/** Faults of processes, disks, sessions and members. A test carries the row in its name. */
export const FAULTS: readonly Row[] = rows({
  F1: "a gateway's daemon is killed: tunnels stay, it serves again within 2 s",
  F2: "a tunnel's process is killed: rebuilt within 1 s with its key, nothing in clear",
  F3: "the broker is killed at any step of a write: what it acknowledged is there",
  F4: "the broker stands still for a minute and goes on: nothing twice, nothing granted twice",
  F5: "a gateway stands still: the broker's queue is bounded, the others notice nothing",
  F6: "everything is killed, one after the other: whole within 10 s",
  F7: "a configuration that cannot be right: refused, what was in force stays",
  F9: "memory runs out: whoever is killed loses nothing that was acknowledged",
  F10: "the broker is away: no query fails, for thirty days by the clock",
  F11: "a gateway starts without the broker: it serves from its disk",
  F12: "all of them start without the broker",
  F13: "the broker comes back after changes on both sides: everywhere within 5 s",
  F14: "a herd comes back at once: all are in within 30 s, whoever else asks waits twice as long at most",
  F16: "the disk is full: writes are refused aloud, the rest goes on, space heals it",
  F17: "a sync to the disk fails: nothing is acknowledged, the process ends, the next one reads what there is",
  F18: "files are torn: opened at a commit, or refused",
  F19: "a bit flips: found at the start, never served",
  F21: "a second broker on one store: refused",
  F23: "a store of a newer program, or a log of an older copy: refused with the way on",
  F24: "the file system is read-only: as a full disk",
  F31: "messages are cut, repeated, out of order: the newest state, never an older one",
  F32: "a peer vanishes without a word: found within 15 s, resumed where it was",
  F33: "a service is deleted while its gateway is down: gone within 5 s of its return",
  F35: "a cluster dies without a word: not answered any more within 10 s; a last location stays, marked",
  F37: "a reader that does not read: bounded memory, then the newest of each key",
  F38: "the protocol's version before: the features of both, unknown fields kept",
  F39: "an older one, or garbage: refused with a reason",
  F40: "one cluster id, two keys: the second is refused, both are shown",
  F42: "sides that are cut off: both serve, nothing is allocated, they meet again",
  F44: "very many services at once, then none: all are seen, all are gone",
});

/** Advisories and incidents of other programs that concern sessions, tokens and the store. A test carries the id in
 *  brackets. */
export const ADVISORIES: readonly Row[] = rows({
  "TS-2025-007": "a token of one use was redeemed many times at once",
  "GHSA-ghmh-jhmj-wcmf": "tokens lay in clear in the store",
  "CVE-2026-55513": "a token's end was not looked at",
  "CVE-2026-53602": "a revocation did not outlive a restart",
  "CVE-2026-61699": "a revocation was never enforced",
  "GHSA-v2jf-442r-6mjh": "what was recorded could be played again after a restart",
  "CVE-2026-47724": "nobody asked who owns what is changed",
  "CVE-2026-47726": "everybody could read the audit log",
  "CVE-2026-47768": "a credential went along with a redirect",
  "CVE-2026-55512": "state for strangers grew without a bound",
  "CVE-2021-41803": "names in claims were taken as they came",
  "CVE-2022-40716": "a claim of two identities was accepted",
  "CVE-2023-1297": "a peer's stream took the server down",
  "CVE-2020-7219": "connections that say nothing were not bounded",
  "CVE-2026-33343": "one way of reading was filtered, another was not",
  "CVE-2026-48779": "tiny fragments filled the memory",
  "CVE-2024-37890": "very many headers took the server down",
  "CVE-2021-32640": "a long protocol header kept the server busy",
  "CVE-2026-1526": "a large frame filled the client's memory",
  "CVE-2026-1528": "a length of 64 bits took the client down",
  "CVE-2026-2229": "wrong window bits took the client down",
  "CVE-2024-6535": "installations shared a secret",
  "CVE-2024-41260": "a secret had a default",
  "CVE-2026-25793": "a second signature for the same content got past a block list",
  "AWS 2025-10-19": "an older plan was applied over a newer one, then everything was removed",
  "Roblox 2021": "a store slowed down after very many deletions",
  "submariner#821": "a dead cluster's addresses were answered for 25 minutes",
  "lighthouse#1416": "what was deleted while an agent was down stayed for ever",
  "lighthouse PR#1472": "a restored broker's view made names fail",
});
