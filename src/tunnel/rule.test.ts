import { expect, test } from "vitest";
import { parseRules, ruleText } from "./rule.ts";

/** What `ip -4 -j rule show` printed (iproute2 6.1), and one rule of somebody else in our range. */
const SHOWN = `[{"priority":0,"src":"all","table":"local"},
{"priority":7701,"src":"all","dst":"242.192.0.0","dstlen":10,"iif":"lo","table":"7701","protocol":"77"},
{"priority":7702,"src":"all","dst":"242.0.0.0","dstlen":8,"iif":"lo","ipproto":"udp","sport":7777,"table":"7702","protocol":"77"},
{"priority":7702,"src":"all","dst":"242.0.0.0","dstlen":8,"iif":"lo","ipproto":"udp","dport":7777,"table":"7702","protocol":"77"},
{"priority":32766,"src":"all","table":"main"}]`;

test("parseRules() keeps the rules in our range, and ruleText() writes them as they were made", () => {
  const rules = parseRules(SHOWN);
  expect(rules.ok && rules.value.map(ruleText)).toEqual([
    "pref 7701 iif lo to 242.192.0.0/10 lookup 7701 protocol 77",
    "pref 7702 iif lo to 242.0.0.0/8 ipproto 17 sport 7777 lookup 7702 protocol 77",
    "pref 7702 iif lo to 242.0.0.0/8 ipproto 17 dport 7777 lookup 7702 protocol 77",
  ]);
});

test("parseRules() knows a protocol that `ip` has no name for", () => {
  const shown = (ipproto: string): string =>
    `[{"priority":7702,"dst":"242.0.0.0","dstlen":8,"ipproto":"${ipproto}","sport":7,"table":"7702"}]`;
  for (const [ipproto, protocol] of [
    ["tcp", "tcp"],
    ["ipproto-6", "tcp"],
    ["udp", "udp"],
    ["ipproto-17", "udp"],
  ] as const) {
    const rules = parseRules(shown(ipproto));
    expect(rules.ok && rules.value[0]?.match?.protocol).toBe(protocol);
  }
});

test("parseRules() reads a rule to one address, which has no length", () => {
  const rules = parseRules('[{"priority":7750,"dst":"242.0.0.1","table":"7701"}]');
  expect(rules.ok && rules.value[0]?.to).toBe("242.0.0.1/32");
});
