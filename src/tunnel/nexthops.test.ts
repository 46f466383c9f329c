import { expect, test } from "vitest";
import { groupText, parseNexthops } from "./nexthops.ts";
import { nexthopIds } from "./ours.ts";

test("parseNexthops() tells plain nexthops from groups", () => {
  const text = `[{"id":1291845633,"group":[{"id":1308491777},{"id":1308491776,"weight":256}],"type":"resilient",
      "resilient_args":{"buckets":128,"idle_timer":10,"unbalanced_timer":120,"unbalanced_time":0},"protocol":"77","flags":[]},
    {"id":1308491776,"dev":"mrd0","scope":"host","protocol":"77","flags":[]},
    {"id":1308491777,"gateway":"172.31.0.10","dev":"eth0","scope":"link","protocol":"77","flags":[]}]`;
  expect(parseNexthops(text)).toEqual({
    ok: true,
    value: {
      nexthops: new Map([
        [1308491776, "dev mrd0"],
        [1308491777, "via 172.31.0.10 dev eth0"],
      ]),
      groups: new Map([
        [
          1291845633,
          [
            { id: 1308491776, weight: 256 },
            { id: 1308491777, weight: 1 },
          ],
        ],
      ]),
    },
  });
});

test("parseNexthops() reads no output as none", () => {
  expect(parseNexthops("")).toEqual({ ok: true, value: { nexthops: new Map(), groups: new Map() } });
});

test("groupText() gives each half of the buckets to all tunnels, and the heavy ones theirs first", () => {
  const [[a, b], [c, d], [e, f]] = [nexthopIds(0), nexthopIds(1), nexthopIds(2)];
  const hops = (weight: number, ...ids: readonly (number | undefined)[]) => ids.map((id = 0) => ({ id, weight }));
  expect(groupText(hops(1, a, b, c, d, e, f))).toBe([a, c, e, b, d, f].join("/"));
  const mixed = [...hops(1, a, b), ...hops(256, c, d, e, f)];
  expect(groupText(mixed)).toBe(`${c},256/${e},256/${d},256/${f},256/${a}/${b}`);
});
