import { type Family, familyOf, type Ip, ipBytes } from "#values";
import type { Libc, Memory } from "./libc.ts";
import { SOCKADDR_BYTES } from "./sockaddr.ts";

/** Sizes on 64-bit Linux: struct mmsghdr, struct iovec, and our share for a name, a control message and the data. */
const SIZE = { header: 64, iovec: 16, name: 32, control: 96, data: 128 } as const;
/** Offsets in struct mmsghdr (recvmmsg(2), recvmsg(2)). */
const AT = { name: 0, nameLength: 8, iovec: 16, iovecs: 24, control: 32, controlLength: 40, flags: 48, length: 56 };
/** IP_PKTINFO (ip(7)) and IPV6_PKTINFO (RFC 3542, section 6.1): where the interface index and the source address lie
 *  behind the cmsghdr. The source must be given: left zero, Linux takes the interface's own, whatever the socket is
 *  bound to. */
export const PKTINFO = {
  4: { level: 0, option: 8, receive: 8, bytes: 12, index: 0, source: 4 },
  6: { level: 41, option: 50, receive: 49, bytes: 20, index: 16, source: 0 },
} as const;
const CMSGHDR = 16;
export const SOL_SOCKET = 1;
export const SO_TIMESTAMPNS = 35;

/** Datagrams is a row of message headers for recvmmsg or sendmmsg, laid out once in native memory: nothing is allocated
 *  per packet. */
export class Datagrams {
  /** Messages in the row. */
  readonly slots: number;
  /** Where the first struct mmsghdr lies. */
  readonly address: bigint;
  readonly view: DataView;
  readonly #memory: Memory;
  readonly #family: Family;
  readonly #source: Uint8Array;
  readonly #bytes: Uint8Array[] = [];
  readonly #views: DataView[] = [];
  readonly #names: Uint8Array[] = [];
  readonly #headers: bigint[] = [];

  constructor(libc: Pick<Libc, "memory">, ours: Ip, slots: number) {
    this.slots = slots;
    this.#family = familyOf(ours);
    this.#source = ipBytes(ours);
    this.#memory = libc.memory(slots * (SIZE.header + SIZE.iovec + SIZE.name + SIZE.control + SIZE.data));
    this.address = this.#memory.address;
    this.view = this.#memory.view;
    for (let slot = 0; slot < slots; slot += 1) {
      this.#lay(slot);
      const bytes = this.#memory.bytes.subarray(this.#dataAt(slot), this.#dataAt(slot) + SIZE.data);
      this.#bytes.push(bytes);
      this.#views.push(new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
      this.#names.push(
        this.#memory.bytes.subarray(this.#nameAt(slot), this.#nameAt(slot) + SOCKADDR_BYTES[this.#family]),
      );
      this.#headers.push(this.address + BigInt(slot * SIZE.header));
    }
  }

  /** headerAddress is where sendmmsg may start. */
  headerAddress(slot: number): bigint {
    return this.#headers[slot] ?? this.address;
  }

  #nameAt(slot: number): number {
    return this.slots * (SIZE.header + SIZE.iovec) + slot * SIZE.name;
  }

  #dataAt(slot: number): number {
    return this.slots * (SIZE.header + SIZE.iovec + SIZE.name + SIZE.control) + slot * SIZE.data;
  }

  /** lengthOf is how many octets recvmmsg put into a slot; more than its room means a longer datagram, cut. */
  lengthOf(slot: number): number {
    return this.view.getUint32(slot * SIZE.header + AT.length, true);
  }

  /** bytesOf is the data of a slot, all of its room. */
  bytesOf(slot: number): Uint8Array {
    return this.#bytes[slot] as Uint8Array;
  }

  /** viewOf is the same as a view. */
  viewOf(slot: number): DataView {
    return this.#views[slot] as DataView;
  }

  /** expect makes a slot ready for recvmmsg: the kernel shortened its lengths the last time. */
  expect(slot: number): void {
    const header = slot * SIZE.header;
    this.view.setUint32(header + AT.nameLength, SIZE.name, true);
    this.view.setUint32(header + AT.controlLength, SIZE.control, true);
  }

  /** addressTo makes a slot ready for sendmmsg: to a sockaddr, by an interface (its index; 0 leaves the way to the
   *  routes). */
  addressTo(slot: number, name: Uint8Array, link: number, bytes: number): void {
    const header = slot * SIZE.header;
    const { bytes: size, index } = PKTINFO[this.#family];
    this.#memory.bytes.set(name, this.#nameAt(slot));
    this.view.setUint32(header + AT.nameLength, name.length, true);
    this.view.setUint32(this.#iovecAt(slot) + 8, bytes, true);
    this.view.setUint32(header + AT.controlLength, link === 0 ? 0 : Math.ceil((CMSGHDR + size) / 8) * 8, true);
    this.view.setInt32(this.#controlAt(slot) + CMSGHDR + index, link, true);
  }

  /** linkOf is the index of the interface by which a received datagram came; 0 where the kernel did not say. */
  linkOf(slot: number): number {
    const { level, option, index } = PKTINFO[this.#family];
    const at = this.#find(slot, level, option);
    return at === undefined ? 0 : this.view.getInt32(at + index, true);
  }

  /** stampOf is where the kernel's receive stamp lies, a struct timespec; undefined where it gave none. */
  stampOf(slot: number): number | undefined {
    return this.#find(slot, SOL_SOCKET, SO_TIMESTAMPNS);
  }

  /** nameOf is the sockaddr of a received datagram's sender. */
  nameOf(slot: number): Uint8Array {
    return this.#names[slot] as Uint8Array;
  }

  /** lay points a header at its name, iovec and control message, once. */
  #lay(slot: number): void {
    const header = slot * SIZE.header;
    this.view.setBigUint64(header + AT.name, this.address + BigInt(this.#nameAt(slot)), true);
    this.view.setBigUint64(header + AT.iovec, this.address + BigInt(this.#iovecAt(slot)), true);
    this.view.setBigUint64(header + AT.iovecs, 1n, true);
    this.view.setBigUint64(header + AT.control, this.address + BigInt(this.#controlAt(slot)), true);
    this.view.setBigUint64(this.#iovecAt(slot), this.address + BigInt(this.#dataAt(slot)), true);
    this.view.setBigUint64(this.#iovecAt(slot) + 8, BigInt(SIZE.data), true);
    const { level, option, bytes, source } = PKTINFO[this.#family];
    const control = this.#controlAt(slot); // as sendmmsg wants it; recvmmsg writes over it
    this.view.setUint32(control, CMSGHDR + bytes, true);
    this.view.setInt32(control + 8, level, true);
    this.view.setInt32(control + 12, option, true);
    this.#memory.bytes.set(this.#source, control + CMSGHDR + source);
  }

  /** find gives where the data of a control message lie (cmsg(3)). */
  #find(slot: number, level: number, type: number): number | undefined {
    let at = this.#controlAt(slot);
    const end = at + this.view.getUint32(slot * SIZE.header + AT.controlLength, true);
    while (at + CMSGHDR <= end) {
      if (this.view.getInt32(at + 8, true) === level && this.view.getInt32(at + 12, true) === type) return at + CMSGHDR;
      at += Math.max(CMSGHDR, Math.ceil(this.view.getUint32(at, true) / 8) * 8);
    }
    return undefined;
  }

  #iovecAt(slot: number): number {
    return this.slots * SIZE.header + slot * SIZE.iovec;
  }

  #controlAt(slot: number): number {
    return this.slots * (SIZE.header + SIZE.iovec + SIZE.name) + slot * SIZE.control;
  }
}
