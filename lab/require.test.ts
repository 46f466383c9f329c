import { expect, test } from "vitest";
import { APT_COMMAND, describeMissing } from "./require.ts";

test("describeMissing() names all programs, their packages once, and the one command", () => {
  expect(describeMissing(["nft", "unshare", "nsenter"])).toBe(
    `missing: nft, unshare, nsenter (nftables, util-linux). Run as root: ${APT_COMMAND}`,
  );
});
