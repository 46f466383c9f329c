import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodePacket,
  encodePacket,
  encodeState,
  PACKET_BYTES,
  type Packet,
  setState,
  stampHeld,
  stateIn,
  turnIntoEcho,
} from "./packet.ts";

const whole = fc.maxSafeNat();
const packets: fc.Arbitrary<Packet> = fc.record({
  kind: fc.constantFrom("probe", "echo"),
  cookie: whole,
  seq: whole,
  heldNanos: whole,
  prompt: fc.boolean(),
});
const states = fc.record({
  generation: whole,
  epoch: whole,
  seq: whole,
  headHash: fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 32, maxLength: 32 }),
});

function encoded(packet: Packet, state: Uint8Array | null = null): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(PACKET_BYTES).fill(0xee); // as a slot that was used before
  const view = new DataView(bytes.buffer);
  encodePacket(view, packet);
  setState(view, bytes, state);
  return { bytes, view };
}

const SOME: Packet = { kind: "probe", cookie: 7, seq: 9, heldNanos: 0, prompt: false };

describe("a packet", () => {
  test("decodePacket() gives back what encodePacket() wrote", () => {
    fc.assert(
      fc.property(packets, fc.option(states), (packet, state) => {
        const { view } = encoded(packet, state === null ? null : encodeState(state));
        expect(decodePacket(view, PACKET_BYTES)).toEqual({ ok: true, value: packet });
        expect(stateIn(view)).toEqual(state);
      }),
    );
  });

  test("encodePacket() writes the stated layout", () => {
    const state = encodeState({ generation: 1, epoch: 2, seq: 3, headHash: "00112233445566778899aabbccddeeff" });
    const packet: Packet = { kind: "echo", cookie: 0x1_0203_0405, seq: 6, heldNanos: 7, prompt: true };
    expect(Buffer.from(encoded(packet, state).bytes).toString("hex").match(/.{16}/g)).toEqual([
      "4d52445001020300",
      "0000000102030405",
      "0000000000000006",
      "0000000000000007",
      "0000000000000001",
      "0000000000000002",
      "0000000000000003",
      "0011223344556677",
      "8899aabbccddeeff",
    ]);
  });

  test("turnIntoEcho() keeps cookie, seq and size, and carries the responder's state and time", () => {
    const { bytes, view } = encoded({ ...SOME, prompt: true }, encodeState(stateNumbered(1)));
    turnIntoEcho(view);
    setState(view, bytes, encodeState(stateNumbered(2)));
    stampHeld(view, 1234.4);
    expect(decodePacket(view, PACKET_BYTES)).toEqual({
      ok: true,
      value: { kind: "echo", cookie: 7, seq: 9, heldNanos: 1234, prompt: true },
    });
    expect(stateIn(view)).toEqual(stateNumbered(2));
  });

  test("setState() with null leaves nothing of the state before", () => {
    const { bytes, view } = encoded(SOME, encodeState(stateNumbered(1)));
    setState(view, bytes, null);
    expect(stateIn(view)).toBeNull();
    expect(bytes.subarray(32).every((octet) => octet === 0)).toBe(true);
  });

  test("stampHeld() never writes a negative time", () => {
    const { view } = encoded({ ...SOME, kind: "echo" });
    stampHeld(view, -5);
    expect(decodePacket(view, PACKET_BYTES)).toMatchObject({ value: { heldNanos: 0 } });
  });
});

describe("junk", () => {
  test("decodePacket() is total over any octets of any length", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(300), (bytes, length) => {
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        expect(decodePacket(view, length).ok).toBe(false);
      }),
    );
  });

  test("decodePacket() and stateIn() are total over packets with flipped bits", () => {
    const flips = fc.array(fc.tuple(fc.nat(PACKET_BYTES - 1), fc.nat(255)), { maxLength: 4 });
    fc.assert(
      fc.property(packets, flips, (packet, changes) => {
        const { bytes, view } = encoded(packet, encodeState(stateNumbered(3)));
        for (const [at, mask] of changes) bytes[at] = (bytes[at] ?? 0) ^ mask;
        if (decodePacket(view, PACKET_BYTES).ok) stateIn(view);
      }),
    );
  });

  test.each([
    ["length", 0, 0, PACKET_BYTES - 1],
    ["length", 0, 0x4d, PACKET_BYTES + 1],
    ["magic", 0, 0, PACKET_BYTES],
    ["version", 4, 2, PACKET_BYTES],
    ["malformed", 5, 3, PACKET_BYTES],
    ["malformed", 6, 4, PACKET_BYTES],
    ["malformed", 7, 1, PACKET_BYTES],
    ["malformed", 8, 0x20, PACKET_BYTES],
    ["malformed", 17, 0x20, PACKET_BYTES],
    ["malformed", 24, 0xff, PACKET_BYTES],
  ])("decodePacket() says %s when octet %i is %i and the length %i", (reason, at, octet, length) => {
    const { bytes, view } = encoded(SOME);
    bytes[at] = octet;
    expect(decodePacket(view, length)).toEqual({ ok: false, error: reason });
  });

  test("stateIn() gives no state whose numbers do not fit", () => {
    const { bytes, view } = encoded(SOME, encodeState(stateNumbered(1)));
    bytes[40] = 0xff;
    expect(stateIn(view)).toBeNull();
  });
});

function stateNumbered(seq: number) {
  return { generation: 1, epoch: 1, seq, headHash: "ab".repeat(16) };
}
