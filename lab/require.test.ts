import { expect, test } from "vitest";
import { aptCommand, describeMissing, missingPrograms } from "./require.ts";

const PLAIN =
  "apt-get install -y --no-install-recommends wireguard-tools wireguard-go nftables iproute2 conntrack iputils-ping";

test("aptCommand() is one command, with the packages of the extra programs that are asked for", () => {
  expect(aptCommand().join(" ")).toBe(PLAIN);
  expect(aptCommand(["dig", "strace"]).join(" ")).toBe(`${PLAIN} bind9-dnsutils strace`);
});

test("describeMissing() names all programs and the one command", () => {
  expect(describeMissing(["nft", "wg"])).toBe(`missing: nft, wg. Run as root: ${PLAIN}`);
  expect(describeMissing(["dig"], ["dig"])).toBe(`missing: dig. Run as root: ${PLAIN} bind9-dnsutils`);
});

test("missingPrograms() asks for no more than it is told", async () => {
  const missing = await missingPrograms();
  expect(missing).not.toContain("dig");
  expect(missing).not.toContain("unshare"); // util-linux, which every Debian has
});
