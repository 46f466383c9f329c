import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expect as must, parseCidr } from "#values";
import { readFrames } from "./capture.ts";
import { parsePcap, pcapHeader, pcapRecord } from "./pcap.ts";

/** An Ethernet frame with an IPv4 header of 20 octets. */
function frame(source: readonly number[], target: readonly number[], protocol: number, payload: Uint8Array): Buffer {
  const ip = Buffer.from([0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0, ...source, ...target]);
  const ethernet = Buffer.alloc(14);
  ethernet.writeUInt16BE(0x0800, 12);
  return Buffer.concat([ethernet, ip, payload]);
}

const A = [172, 31, 0, 11];
const B = [172, 31, 0, 12];
const udp = (payload: Uint8Array) => Buffer.concat([Buffer.alloc(8), payload]);
const transport = Buffer.concat([Buffer.from([4, 0, 0, 0]), Buffer.alloc(60, 7)]);
const file = (...frames: readonly Uint8Array[]) => Buffer.concat([pcapHeader(65_536), ...frames.map(pcapRecord)]);
const PODS = must(parseCidr("10.244.0.0/16"));

describe("parsePcap()", () => {
  test("parsePcap() is the inverse of pcapRecord()", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (frames) => {
        expect(parsePcap(file(...frames)).map(({ bytes }) => [...bytes])).toEqual(frames.map((bytes) => [...bytes]));
      }),
    );
  });

  test("parsePcap() reads the outer addresses and the payload of UDP", () => {
    const [parsed] = parsePcap(file(frame(A, B, 17, udp(Buffer.from("hello")))));
    expect(parsed?.ip).toEqual({ source: "172.31.0.11", target: "172.31.0.12", protocol: 17 });
    expect(Buffer.from(parsed?.udp ?? []).toString()).toBe("hello");
  });

  test("parsePcap() leaves out a last record that was cut off", () => {
    const whole = file(frame(A, B, 1, Buffer.alloc(8)), frame(B, A, 1, Buffer.alloc(8)));
    expect(parsePcap(whole.subarray(0, whole.length - 1))).toHaveLength(1);
  });

  test("parsePcap() refuses what is no capture", () => {
    expect(() => parsePcap(Buffer.from("something else entirely, long enough"))).toThrow("not a capture file");
  });
});

describe("readFrames()", () => {
  const read = (...frames: readonly Uint8Array[]) => readFrames(parsePcap(file(...frames)), "the-page", [PODS]);

  test("readFrames() counts WireGuard's transport messages, and nothing else of UDP", () => {
    expect(read(frame(A, B, 17, udp(transport)), frame(A, B, 17, udp(Buffer.alloc(60))))).toEqual({
      frames: 2,
      withMarker: 0,
      inside: 0,
      encrypted: 1,
    });
  });

  test("readFrames() finds the text wherever it stands", () => {
    expect(read(frame(A, B, 6, Buffer.from("HTTP/1.1 200\r\n\r\nmarker: the-page\n"))).withMarker).toBe(1);
  });

  test("readFrames() finds inner addresses as source and as target", () => {
    const pod = [10, 244, 1, 10];
    expect(
      read(frame(pod, B, 1, Buffer.alloc(8)), frame(A, pod, 1, Buffer.alloc(8)), frame(A, B, 1, Buffer.alloc(8)))
        .inside,
    ).toBe(2);
  });
});
