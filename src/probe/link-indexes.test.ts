import { expect, test } from "vitest";
import { LinkIndexes } from "./link-indexes.ts";

test("indexOf() asks once a second, and again after forget()", () => {
  const asked: string[] = [];
  let index = 4;
  const links = new LinkIndexes((name) => {
    asked.push(name);
    return index;
  });
  expect([links.indexOf("mrd0", 0), links.indexOf("mrd0", 999)]).toEqual([4, 4]);
  expect(asked).toHaveLength(1);
  index = 9; // the interface was made anew
  expect(links.indexOf("mrd0", 1000)).toBe(9);
  index = 12;
  links.forget();
  expect(links.indexOf("mrd0", 1001)).toBe(12);
});

test("indexOf() is undefined while the interface is missing, and finds it soon after", () => {
  let index = 0;
  const links = new LinkIndexes(() => index);
  expect(links.indexOf("mrd1", 0)).toBeUndefined();
  index = 5;
  expect(links.indexOf("mrd1", 50)).toBeUndefined();
  expect(links.indexOf("mrd1", 100)).toBe(5);
});
