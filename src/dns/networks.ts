import { type Cidr, cidrFamily, type Ip, ipBytes } from "#values";
import type { Asker } from "./asker.ts";

/** Networks tells whether an address lies in one of a few networks. They are octets and masks side by side, so that a
 *  look-up allocates nothing. */
export class Networks {
  readonly #networks: readonly { readonly base: Uint8Array; readonly mask: Uint8Array }[];

  constructor(cidrs: readonly Cidr[]) {
    this.#networks = cidrs.map((cidr) => {
      const [address = "", bits = ""] = cidr.split("/");
      return { base: ipBytes(address as Ip), mask: maskOf(cidrFamily(cidr) === 4 ? 4 : 16, Number(bits)) };
    });
  }

  /** has reports whether one of the networks has the asker; nobody is in none. */
  has(asker: Asker): boolean {
    const { length } = asker;
    for (let i = 0; i < this.#networks.length; i++) {
      const network = this.#networks[i];
      if (network !== undefined && network.base.length === length && inside(asker, network)) return true;
    }
    return false;
  }
}

function inside(asker: Asker, { base, mask }: { readonly base: Uint8Array; readonly mask: Uint8Array }): boolean {
  for (let i = 0; i < base.length; i++) {
    if (((asker.octets[asker.at + i] as number) & (mask[i] as number)) !== base[i]) return false;
  }
  return true;
}

/** maskOf is a prefix length as octets. */
export function maskOf(octets: number, bits: number): Uint8Array {
  return Uint8Array.from({ length: octets }, (_, i) => 0xff00 >> Math.min(8, Math.max(0, bits - 8 * i)));
}
