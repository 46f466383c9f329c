import { describe, expect, test } from "vitest";
import {
  CANARY,
  hostsFile,
  queryFile,
  serviceAddress,
  serviceName,
  shuffledNames,
  zoneFile,
  zoneService,
} from "./dns-workload.ts";
import { generatorLimited, type LoadResult } from "./load-ask.ts";

describe("what all contenders serve", () => {
  test("queries for all names have one length, so that many go out as one", () => {
    const octets = Buffer.from(queryFile([CANARY, serviceName(0), serviceName(99_999)]));
    const length = octets.readUInt16BE(0);
    expect(octets.length).toBe(3 * (2 + length));
    expect(octets.subarray(2 + 12, 2 + 20).toString("latin1")).toBe("\x07canary0");
  });

  test("files and objects name the same services", () => {
    expect(hostsFile(2)).toBe(`${serviceAddress(0)} ${serviceName(0)}\n${serviceAddress(1)} ${serviceName(1)}\n`);
    expect(zoneFile(1)).toContain(`${serviceName(0)}. IN A 242.192.0.0\n`);
    expect(zoneService(70_000).addresses).toEqual(["242.193.17.112"]);
  });

  test("names are shuffled, each once", () => {
    const names = shuffledNames(1000);
    expect(new Set(names).size).toBe(1000);
    expect(names.slice(0, 3)).not.toEqual([0, 1, 2].map(serviceName));
  });
});

describe("generatorLimited() says when a figure is the generator's", () => {
  const result = { idleShare: 0.2, lagP99Us: 10 } as LoadResult;
  const closed = { mode: { kind: "closed", outstanding: 1 } } as const;
  const open = { mode: { kind: "open", rate: 1 } } as const;
  test.each([
    [closed, result, false],
    [closed, { ...result, idleShare: 0.01 }, true],
    [open, result, false],
    [open, { ...result, lagP99Us: 2000 }, true],
  ])("%j", (ask, of, limited) => {
    expect(generatorLimited(ask, of)).toBe(limited);
  });
});
