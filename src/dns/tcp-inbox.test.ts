import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TcpInbox } from "./tcp-inbox.ts";
import { octets16 } from "./testbed.ts";
import { concat } from "./wire-name.ts";

function framed(message: Uint8Array): Uint8Array {
  return concat(octets16(message.length), message);
}

describe("put() and take()", () => {
  test("give the messages back, however the stream is split", () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 });
    fc.assert(
      fc.property(messages, fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1 }), (sent, sizes) => {
        const stream = concat(...sent.map(framed));
        const inbox = new TcpInbox();
        const got: string[] = [];
        for (let at = 0, n = 0; at < stream.length; n++) {
          const size = sizes[n % sizes.length] ?? 1;
          inbox.put(Buffer.from(stream.subarray(at, at + size)));
          at += size;
          for (let message = inbox.take(); message !== undefined; message = inbox.take()) got.push(message.toHex());
          inbox.settle();
        }
        expect(got).toEqual(sent.map((message) => message.toHex()));
        expect(inbox.waiting).toBe(0);
      }),
    );
  });

  test("the longest message, octet by octet, is moved about as often as its length doubles", () => {
    const inbox = new TcpInbox();
    const stream = framed(new Uint8Array(65_535).fill(7));
    const start = performance.now();
    for (const octet of stream) inbox.put(Buffer.of(octet));
    // Moved with every octet it would be two gigabytes.
    expect(performance.now() - start).toBeLessThan(500);
    expect(inbox.take()?.length).toBe(65_535);
  });

  test("length is what a message says before it is whole", () => {
    const inbox = new TcpInbox();
    inbox.put(Buffer.of(0x12));
    expect(inbox.length).toBeUndefined();
    inbox.put(Buffer.of(0x34));
    expect(inbox.length).toBe(0x1234);
    expect(inbox.take()).toBeUndefined();
  });

  test("settle() keeps little memory for little that waits", () => {
    const inbox = new TcpInbox();
    const chunk = Buffer.from(concat(framed(new Uint8Array(60_000)), Uint8Array.of(0, 5, 1)));
    inbox.put(chunk);
    expect(inbox.take()?.length).toBe(60_000);
    inbox.settle();
    chunk.fill(0xff); // what is kept is not the chunk
    expect(inbox.length).toBe(5);
  });
});
