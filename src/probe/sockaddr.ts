import { type Family, familyOf, type Ip, ipBytes } from "#values";

/** Address families and struct sizes of Linux (socket.h, in.h, in6.h). */
export const AF: Readonly<Record<Family, number>> = { 4: 2, 6: 10 };
export const SOCKADDR_BYTES: Readonly<Record<Family, number>> = { 4: 16, 6: 28 };

/** sockaddrOf is struct sockaddr_in or sockaddr_in6: family in host order (little-endian here), port and address in
 *  network order. */
export function sockaddrOf(ip: Ip, port: number): Uint8Array {
  const family = familyOf(ip);
  const bytes = new Uint8Array(SOCKADDR_BYTES[family]);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF[family], true);
  view.setUint16(2, port);
  bytes.set(ipBytes(ip), family === 4 ? 4 : 8);
  return bytes;
}
