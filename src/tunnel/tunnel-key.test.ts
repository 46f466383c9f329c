import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { expect as take } from "#values";
import { keyPath, loadTunnelKey } from "./tunnel-key.ts";

let dir = "";

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "tunnel-key-"));
});

afterEach(async () => {
  await rm(dir, { recursive: true });
});

test("loadTunnelKey() makes a key of mode 0600 and finds the same one again", async () => {
  const first = take(await loadTunnelKey(dir));
  expect(take(await loadTunnelKey(dir))).toBe(first);
  expect((await stat(keyPath(dir))).mode & 0o777).toBe(0o600);
  expect(await readdir(dir)).toEqual(["tunnel.key"]);
});

test("loadTunnelKey() writes a clamped key, as RFC 7748 section 5 has it", async () => {
  await loadTunnelKey(dir);
  const octets = Buffer.from(await readFile(keyPath(dir), "utf8"), "base64");
  expect((octets[0] ?? 0) & 7).toBe(0);
  expect((octets[31] ?? 0) & 0xc0).toBe(0x40);
});

test("loadTunnelKey() gives the public key of RFC 7748 section 6.1", async () => {
  const secret = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
  await writeFile(keyPath(dir), `${Buffer.from(secret, "hex").toString("base64")}\n`);
  const got = Buffer.from(take(await loadTunnelKey(dir)), "base64").toString("hex");
  expect(got).toBe("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
});

test("loadTunnelKey() refuses a damaged file and leaves it", async () => {
  await writeFile(keyPath(dir), "not a key\n");
  expect(await loadTunnelKey(dir)).toMatchObject({
    ok: false,
    error: expect.stringContaining("tunnel.key: not a WireG"),
  });
  expect(await readFile(keyPath(dir), "utf8")).toBe("not a key\n");
});

test("loadTunnelKey() says why it cannot write", async () => {
  const missing = join(dir, "missing");
  expect(await loadTunnelKey(missing)).toMatchObject({ ok: false, error: expect.stringContaining("ENOENT") });
});
