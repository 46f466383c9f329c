import { MAX_FRAME } from "#wire";

/** BadFrame is octets that no WebSocket of ours sends (RFC 6455, section 5), or that say what no message says. */
export interface BadFrame {
  readonly name: string;
  readonly octets: Buffer;
  /** The connection ends behind it, in the middle of a frame. */
  readonly cut?: boolean;
}

/** First octets of a frame: FIN and opcode; RSV1 is the bit of a compressed one. */
const TEXT = 0x81;
const BINARY = 0x82;
const PING = 0x89;
const RSV1 = 0x40;
const RSV23 = 0x30;

/** frame is one frame; a client's is masked, with zeros, so that the payload can be read in a capture. */
export function frame(first: number, payload: Uint8Array, masked: boolean, length = payload.length): Buffer {
  const mask = masked ? 0x80 : 0;
  let head: Buffer;
  if (length < 126) head = Buffer.from([first, mask | length]);
  else if (length < 65_536) {
    head = Buffer.from([first, mask | 126, 0, 0]);
    head.writeUInt16BE(length, 2);
  } else {
    head = Buffer.from([first, mask | 127, 0, 0, 0, 0, 0, 0, 0, 0]);
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0), payload]);
}

/** badFrames are one of each kind, towards a server (masked) or towards a client. */
export function badFrames(masked: boolean): readonly BadFrame[] {
  const text = (said: string): Buffer => frame(TEXT, Buffer.from(said), masked);
  const some = Buffer.alloc(1000, "x");
  return [
    { name: "a frame above the limit", octets: frame(TEXT, some, masked, MAX_FRAME + 1) },
    { name: "a frame of 1 GiB", octets: frame(TEXT, some, masked, 2 ** 30) },
    { name: "a length of 64 bits", octets: lengthOf("7fffffffffffffff", masked) },
    { name: "a length with the highest bit", octets: lengthOf("ffffffffffffffff", masked) },
    { name: "a truncated frame", octets: frame(TEXT, some, masked, 60_000), cut: true },
    { name: "a truncated header", octets: Buffer.from([TEXT]), cut: true },
    { name: "what is not JSON", octets: text("{") },
    { name: "what is no message", octets: text('{"t":"gift","horse":true}') },
    { name: "a message out of turn", octets: text('{"t":"claim","id":1}') },
    { name: "JSON that is very deep", octets: text("[".repeat(60_000)) },
    { name: "a prototype", octets: text('{"__proto__":{"t":"hello"},"t":"hello","protocols":{}}') },
    {
      name: "huge numbers",
      octets: text(`{"t":"hello","protocols":[${"9".repeat(400)},1],"features":[],"version":""}`),
    },
    { name: "octets at random", octets: Buffer.from(some.map((_, i) => (i * 7919 + (i >> 3) * 104_729) & 0xff)) },
    { name: "text that is not UTF-8", octets: frame(TEXT, Buffer.from("ff80fe", "hex"), masked) },
    { name: "reserved bits", octets: frame(TEXT | RSV23, Buffer.from("{}"), masked) },
    { name: "a compressed bomb that nobody agreed to", octets: frame(TEXT | RSV1, DEFLATED_ZEROS, masked) },
    { name: "a binary frame", octets: frame(BINARY, Buffer.from("{}"), masked) },
    {
      name: masked ? "a frame without a mask" : "a frame with a mask",
      octets: frame(TEXT, Buffer.from("{}"), !masked),
    },
    { name: "a hundred fragments", octets: fragments(100, masked) },
    { name: "a ping that is too long", octets: frame(PING, some, masked) },
    {
      name: "pings, then nothing",
      octets: Buffer.concat(Array(50).fill(frame(PING, some.subarray(0, 100), masked))),
      cut: true,
    },
  ];
}

/** fragments is one message in very many frames of one octet. */
export function fragments(count: number, masked: boolean): Buffer {
  const one = Buffer.from("x");
  return Buffer.concat(Array.from({ length: count }, (_, i) => frame(i === 0 ? 0x01 : 0x00, one, masked)));
}

/** pings is a flood. */
export function pings(count: number, masked: boolean): Buffer {
  return Buffer.concat(Array(count).fill(frame(PING, Buffer.alloc(125), masked)));
}

function lengthOf(hex: string, masked: boolean): Buffer {
  return Buffer.concat([Buffer.from([TEXT, masked ? 0xff : 0x7f]), Buffer.from(hex, "hex"), Buffer.alloc(8)]);
}

/** What raw deflate makes of very many zeros begins and goes on like this. */
const DEFLATED_ZEROS = Buffer.concat([Buffer.from("ecc1010d000000c2a0f74f6d0e37a0", "hex"), Buffer.alloc(1000)]);
