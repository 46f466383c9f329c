/** Answer is what a response says, as far as a poller looks. */
export interface Answer {
  readonly id: number;
  /** 0 NOERROR, 3 NXDOMAIN (RFC 1035, section 4.1.1). */
  readonly rcode: number;
  /** IPv4 addresses of the answer section, in its order. */
  readonly addresses: readonly string[];
}

const HEADER = 12;
const TYPE_A = 1;
const CLASS_IN = 1;

/** encodeQuestion writes a query for the A records of a name (RFC 1035, section 4.1). A poller of its own that shares
 *  nothing with the program: a fault in its codec must not hide itself here. */
export function encodeQuestion(id: number, name: string): Buffer {
  const labels = name.split(".").map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)]));
  const message = Buffer.concat([Buffer.alloc(HEADER), ...labels, Buffer.of(0, 0, TYPE_A, 0, CLASS_IN)]);
  message.writeUInt16BE(id, 0);
  message.writeUInt16BE(0x0100, 2); // recursion desired, as every stub resolver asks
  message.writeUInt16BE(1, 4);
  return message;
}

/** readAnswer reads the header and the A records of a response to one question; undefined when it is too short. */
export function readAnswer(message: Buffer): Answer | undefined {
  if (message.length < HEADER) return undefined;
  const addresses: string[] = [];
  let at = skipName(message, HEADER) + 4;
  for (let left = message.readUInt16BE(6); left > 0 && at < message.length; left--) {
    at = skipName(message, at);
    if (at + 10 > message.length) break;
    const length = message.readUInt16BE(at + 8);
    const data = message.subarray(at + 10, at + 10 + length);
    if (message.readUInt16BE(at) === TYPE_A && data.length === 4) addresses.push(data.join("."));
    at += 10 + length;
  }
  return { id: message.readUInt16BE(0), rcode: message.readUInt8(3) & 15, addresses };
}

/** skipName gives the place after a name: labels until an empty one, or a pointer of two octets. */
function skipName(message: Buffer, from: number): number {
  let at = from;
  while (at < message.length) {
    const length = message.readUInt8(at);
    if (length >= 0xc0) return at + 2;
    if (length === 0) return at + 1;
    at += length + 1;
  }
  return at;
}
