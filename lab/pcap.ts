import { type Ip, ipv4From } from "#values";

/** Frame is what a capture tells about one Ethernet frame. */
export interface Frame {
  readonly bytes: Uint8Array;
  /** Addresses of the outer IPv4 header; undefined for other protocols. */
  readonly ip: { readonly source: Ip; readonly target: Ip; readonly protocol: number } | undefined;
  /** Payload of the outer UDP datagram; undefined for all else. */
  readonly udp: Uint8Array | undefined;
}

// Sizes and numbers of the pcap format, of Ethernet II, IPv4 (RFC 791) and UDP (RFC 768).
const MAGIC = 0xa1b2c3d4;
const HEADER_BYTES = 24;
const RECORD_BYTES = 16;
const ETHERNET = { link: 1, bytes: 14, ipv4: 0x0800 };
const UDP = { protocol: 17, bytes: 8 };

/** pcapHeader is the head of a capture file (draft-ietf-opsawg-pcap, 4), little-endian, Ethernet. */
export function pcapHeader(snapBytes: number): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(snapBytes, 16);
  header.writeUInt32LE(ETHERNET.link, 20);
  return header;
}

/** pcapRecord is one frame with its record header. Its time is left zero: only order and content are looked at. */
export function pcapRecord(frame: Uint8Array): Uint8Array {
  const record = Buffer.alloc(RECORD_BYTES + frame.length);
  record.writeUInt32LE(frame.length, 8);
  record.writeUInt32LE(frame.length, 12);
  record.set(frame, RECORD_BYTES);
  return record;
}

/** parsePcap reads a file of pcapHeader and pcapRecord. A last record that is cut off is left out. */
export function parsePcap(file: Uint8Array): readonly Frame[] {
  const view = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (view.length < HEADER_BYTES || view.readUInt32LE(0) !== MAGIC) throw new Error("not a capture file");
  const frames: Frame[] = [];
  for (let at = HEADER_BYTES; at + RECORD_BYTES <= view.length; ) {
    const length = view.readUInt32LE(at + 8);
    const end = at + RECORD_BYTES + length;
    if (end > view.length) break;
    frames.push(parseFrame(view.subarray(at + RECORD_BYTES, end)));
    at = end;
  }
  return frames;
}

/** Only what is asked about: an IPv6 packet or an ARP stays bytes. */
function parseFrame(bytes: Buffer): Frame {
  const ipv4 = bytes.length >= ETHERNET.bytes + 20 && bytes.readUInt16BE(12) === ETHERNET.ipv4;
  if (!ipv4) return { bytes, ip: undefined, udp: undefined };
  const packet = bytes.subarray(ETHERNET.bytes);
  const protocol = packet.readUInt8(9);
  const headerBytes = (packet.readUInt8(0) & 15) * 4;
  const ip = { source: ipv4From(packet.readUInt32BE(12)), target: ipv4From(packet.readUInt32BE(16)), protocol };
  const isUdp = protocol === UDP.protocol && packet.length >= headerBytes + UDP.bytes;
  return { bytes, ip, udp: isUdp ? packet.subarray(headerBytes + UDP.bytes) : undefined };
}
