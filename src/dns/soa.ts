import { CLASS_IN, TYPE } from "./iana.ts";
import type { Reply } from "./reply.ts";
import { RrWriter } from "./rr-writer.ts";
import { labelOctets } from "./wire-name.ts";

/** Seconds; CoreDNS's values. Nobody transfers the zone, so they bind nobody. */
const REFRESH = 7200;
const RETRY = 1800;
const EXPIRE = 86_400;
/** CoreDNS lets an absence be kept no longer than this, whatever the lifetime of records. */
const MAX_NEGATIVE_TTL = 300;

/** Where the template's three pointers to the origin and its serial stand. */
const OWNER = 0;
const PRIMARY = 19;
const MAILBOX = 32;
const SERIAL = 34;

/** soaTemplate is the zone's SOA in wire form, without pointers and serial (RFC 1035 section 3.3.13):
 *  `Z. <min(ttl, 300)> IN SOA ns.dns.Z. hostmaster.Z. <serial> 7200 1800 86400 <ttl>`. */
export function soaTemplate(ttl: number): Uint8Array {
  const primary = labelOctets(["ns", "dns"]) ?? new Uint8Array(0);
  const mailbox = labelOctets(["hostmaster"]) ?? new Uint8Array(0);
  const rdLength = primary.length + 2 + mailbox.length + 2 + 20;
  return new RrWriter()
    .u16(0)
    .u16(TYPE.SOA)
    .u16(CLASS_IN)
    .u32(Math.min(ttl, MAX_NEGATIVE_TTL))
    .u16(rdLength)
    .octets(primary)
    .u16(0)
    .octets(mailbox)
    .u16(0)
    .u32(0)
    .u32(REFRESH)
    .u32(RETRY)
    .u32(EXPIRE)
    .u32(ttl)
    .take();
}

/** writeSoa adds the SOA; its names point to the origin in the question, so they keep the asker's spelling. */
export function writeSoa(reply: Reply, template: Uint8Array, originAt: number, serial: number): void {
  const at = reply.place;
  const pointer = 0xc000 | originAt;
  reply.copy(template, 0, template.length);
  const end = reply.place;
  for (const place of [OWNER, PRIMARY, MAILBOX]) {
    reply.place = at + place;
    reply.u16(pointer);
  }
  reply.place = at + SERIAL;
  reply.u32(serial);
  reply.place = end;
}
