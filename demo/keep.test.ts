import { expect, test } from "vitest";
import { renderEnter } from "./keep.ts";

const PLACES = [
  { name: "amber-1", pid: 11 },
  { name: "birch-client", pid: 12 },
];

test("renderEnter() knows every place by name, and says which there are", () => {
  const script = renderEnter(PLACES, false);
  expect(script).toContain("  birch-client) pid=12 ;;\n");
  expect(script).toContain('echo "places: amber-1 birch-client"');
  expect(script).toContain('exec nsenter -t "$pid" -n -m -u -- "$@"');
});

test("renderEnter() enters the user namespace first where there is one", () => {
  expect(renderEnter(PLACES, true)).toContain('-t "$pid" -U --preserve-credentials -n -m -u');
});
