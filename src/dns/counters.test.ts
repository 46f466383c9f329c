import { describe, expect, test } from "vitest";
import { Counters, counterMemory, sumCounters } from "./counters.ts";
import { RCODE, rcodeText, typeNumber, typeText } from "./iana.ts";
import { answersPort } from "./source-port.ts";

describe("Counters", () => {
  test("of several threads add up, each code and transport apart", () => {
    const memory = counterMemory(3);
    const threads = [0, 1, 2].map((thread) => new Counters(memory, thread));
    for (const [i, counters] of threads.entries()) {
      counters.add("udpQueries", 10 * (i + 1));
      for (const rcode of Object.values(RCODE)) counters.response(false, rcode);
      counters.response(true, RCODE.BADVERS);
      counters.set("tcpOpen", i);
      counters.set("tcpOpen", i + 1);
    }
    const sums = sumCounters(memory);
    const each = { NOERROR: 3, FORMERR: 3, SERVFAIL: 3, NXDOMAIN: 3, NOTIMP: 3, REFUSED: 3, BADVERS: 3, BADCOOKIE: 3 };
    expect(sums.queries).toEqual({ udp: 60, tcp: 0 });
    expect(sums.responses.udp).toEqual(each);
    expect(sums.responses.tcp).toMatchObject({ NOERROR: 0, BADVERS: 3 });
    expect(sums.tcp.open).toBe(6);
  });

  test("begin at zero", () => {
    expect(sumCounters(counterMemory(1))).toMatchObject({ dropped: 0, truncated: 0, faults: 0, sendErrors: 0 });
  });
});

describe("typeNumber() and typeText()", () => {
  test("are inverse, for names and for numbers (RFC 3597)", () => {
    for (let type = 0; type <= 65_535; type += 7) expect(typeNumber(typeText(type))).toBe(type);
    expect(typeNumber("aaaa")).toBe(28);
    for (const text of ["", "TYPE", "TYPE65536", "toString", "A1"]) expect(typeNumber(text)).toBeUndefined();
  });

  test("rcodeText() names what it knows", () => {
    expect([0, 3, 16, 9].map(rcodeText)).toEqual(["NOERROR", "NXDOMAIN", "BADVERS", "RCODE9"]);
  });
});

test("answersPort() is silent towards ports that cannot be answered or would answer back", () => {
  const silent = [...Array(65_536).keys()].filter((port) => !answersPort(port));
  expect(silent).toEqual([0, 7, 19]);
});
