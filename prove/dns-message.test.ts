import { describe, expect, test } from "vitest";
import { encodeQuestion, readAnswer } from "./dns-message.ts";

/** reply turns a question into a response with a code and some A records, each name a pointer to the question's. */
function reply(question: Buffer, rcode: number, addresses: readonly (readonly number[])[]): Buffer {
  const header = Buffer.from(question);
  header.writeUInt16BE(0x8400 | rcode, 2);
  header.writeUInt16BE(addresses.length, 6);
  const records = addresses.map((address) => Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, ...address]));
  return Buffer.concat([header, ...records]);
}

describe("encodeQuestion()", () => {
  test("writes header, labels, type A and class IN", () => {
    const wire = encodeQuestion(0x1234, "web.shop");
    expect(wire.toString("hex")).toBe("123401000001000000000000" + "03776562" + "0473686f70" + "00" + "00010001");
  });
});

describe("readAnswer()", () => {
  const question = encodeQuestion(7, "web.shop.svc.clusterset.local");

  test("reads addresses behind compressed names, in their order", () => {
    const answer = readAnswer(
      reply(question, 0, [
        [242, 192, 0, 1],
        [242, 1, 1, 10],
      ]),
    );
    expect(answer).toEqual({ id: 7, rcode: 0, addresses: ["242.192.0.1", "242.1.1.10"] });
  });

  test("reads NXDOMAIN without any record", () => {
    expect(readAnswer(reply(question, 3, []))).toEqual({ id: 7, rcode: 3, addresses: [] });
  });

  test("passes over records of other types", () => {
    const text = reply(question, 0, [[1, 2, 3, 4]]);
    text.writeUInt16BE(16, question.length + 2); // TXT
    expect(readAnswer(text)?.addresses).toEqual([]);
  });

  test("is undefined for what has no header", () => {
    expect(readAnswer(Buffer.alloc(11))).toBeUndefined();
  });

  test("ends with a message that is cut off, without a record that is not whole", () => {
    const whole = reply(question, 0, [[1, 2, 3, 4]]);
    for (let length = 12; length < whole.length; length++) {
      expect(readAnswer(whole.subarray(0, length))?.addresses).toEqual([]);
    }
  });
});
