import { describe, expect, test } from "vitest";
import { cidrParts } from "#values";
import { Space } from "./space.ts";
import { net } from "./testbed.ts";

function taken(...blocks: string[]): Space {
  const space = new Space(net("242.0.0.0/8"));
  for (const block of blocks) expect(space.reserve(cidrParts(net(block)))).toBe(true);
  return space;
}

describe("Space", () => {
  test("first() is the lowest free network inside the given ones, in their order", () => {
    const space = taken("242.2.0.0/17");
    expect(space.first(16, [net("242.2.0.0/15")])).toBe("242.3.0.0/16");
    expect(space.first(17, [net("242.2.0.0/16"), net("242.1.0.0/16")])).toBe("242.2.128.0/17");
    expect(space.first(16, [net("242.2.0.0/16")])).toBeUndefined();
    expect(space.first(14, [net("242.2.0.0/16")])).toBeUndefined();
  });

  test("roomy() leaves the buddy free while that is possible", () => {
    const pool = [net("242.4.0.0/14")];
    expect(taken("242.4.0.0/16").roomy(16, pool)).toBe("242.6.0.0/16");
    expect(taken("242.4.0.0/16", "242.6.0.0/16").roomy(16, pool)).toBe("242.5.0.0/16");
    expect(taken("242.4.0.0/14").roomy(16, pool)).toBeUndefined();
  });

  test("firstTaken() is the lowest taken address of a network", () => {
    const space = taken("242.2.0.0/17", "242.1.9.8/32");
    expect(space.firstTaken(net("242.0.0.0/8"))).toBe("242.1.9.8");
    expect(space.firstTaken(net("242.2.64.0/24"))).toBe("242.2.64.0");
    expect(space.firstTaken(net("242.3.0.0/16"))).toBeUndefined();
  });

  test("release() gives back exactly what was reserved", () => {
    const space = taken("242.1.0.0/16");
    space.release(cidrParts(net("242.1.0.0/16")));
    expect(space.isFree(net("242.0.0.0/8"))).toBe(true);
    expect(() => space.release(cidrParts(net("242.1.0.0/16")))).toThrow("not taken");
  });

  test("numbers and networks are two names for the same blocks", () => {
    for (const supernet of ["242.0.0.0/8", "fd12:3456:789a::/48", "10.9.0.0/16"]) {
      const space = new Space(net(supernet));
      for (const n of [1, 2, 63]) {
        expect(space.nodeNumber(space.nodeBlock(n))).toBe(n);
        expect(space.slotOf(space.slot(n))).toBe(n);
        space.reserve(cidrParts(space.nodeBlock(n)));
        expect(space.isNodeBlockFree(n)).toBe(false);
        expect(space.isSlotFree(n)).toBe(true);
        space.reserve(cidrParts(space.slot(n)));
        expect(space.isSlotFree(n)).toBe(false);
      }
    }
  });

  test("isPods() is true for what lies in one network of the pods pool", () => {
    const space = new Space(net("242.0.0.0/8"));
    const pods = ["242.1.0.0/16", "242.128.0.0/10", "242.191.255.255/32"];
    const others = ["242.0.255.0/24", "242.192.0.0/16", "242.0.0.0/8"];
    expect(pods.map((text) => space.isPods(net(text)))).toEqual([true, true, true]);
    expect(others.map((text) => space.isPods(net(text)))).toEqual([false, false, false]);
    expect(space.isPods(net("10.0.0.0/16"))).toBe(false);
  });

  test("an unusable supernet throws", () => {
    expect(() => new Space(net("127.0.0.0/8"))).toThrow(RangeError);
  });
});
