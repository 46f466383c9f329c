import { describe, expect, test } from "vitest";
import { SipHash } from "./siphash.ts";

const KEY = Uint8Array.from({ length: 16 }, (_, i) => i);

function hex({ first, last }: SipHash): string {
  return [first, last].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}

describe("hash()", () => {
  // From the authors' own list: input 00, 01, 02 … of so many octets under the key 00 … 0f.
  test.each([
    [0, "310e0edd47db6f72"],
    [1, "fd67dc93c539f874"],
    [2, "5a4fa9d909806c0d"],
    [3, "2d7efbd796666785"],
    [7, "37d1018bf50002ab"],
    [8, "6224939a79f5f593"],
    [15, "e545be4961ca29a1"],
    [63, "724506eb4c328a95"],
  ])("of %i octets is the authors' value", (length, want) => {
    const input = Uint8Array.from({ length }, (_, i) => i);
    const sip = new SipHash();
    sip.hash(KEY, 0, input, 0, length);
    expect(hex(sip)).toBe(want);
  });

  test("depends on the octets alone, not on where key and input lie or what was hashed before", () => {
    const sip = new SipHash();
    const memory = new Uint8Array(100).fill(0xee);
    memory.set(KEY, 5);
    memory.set(
      Uint8Array.from({ length: 15 }, (_, i) => i),
      40,
    );
    for (let again = 0; again < 2; again++) {
      sip.hash(memory, 5, memory, 40, 15);
      expect(hex(sip)).toBe("e545be4961ca29a1");
    }
  });

  test("changes with every bit of key and input", () => {
    const sip = new SipHash();
    const seen = new Set<string>();
    for (let bit = 0; bit < 128 + 8 * 20; bit++) {
      const memory = new Uint8Array(36);
      memory[bit >> 3] = 1 << (bit & 7);
      sip.hash(memory, 0, memory, 16, 20);
      seen.add(hex(sip));
    }
    expect(seen.size).toBe(128 + 8 * 20);
  });
});
