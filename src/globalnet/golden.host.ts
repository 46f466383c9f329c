import { afterAll, expect, test } from "vitest";
import { runCommand } from "#life";
import { goldenRulesets } from "./testbed-golden.ts";
import { HostLab } from "./testbed-lab.ts";

const lab = new HostLab(`gg${process.pid}`);
afterAll(() => lab[Symbol.asyncDispose]());

test.each(Object.keys(goldenRulesets))("nft accepts golden/%s", async (file) => {
  const space = await lab.space(file.slice(0, 2));
  const path = new URL(`./golden/${file}`, import.meta.url).pathname;
  expect(await runCommand(["ip", "netns", "exec", space, "nft", "--check", "-f", path])).toEqual({
    ok: true,
    value: "",
  });
});
