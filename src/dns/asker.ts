import { ipBytes, parseIp } from "#values";

const NOBODY = new Uint8Array(0);

/** Asker is the source address of the query under way, in network order, wherever it lies: nothing is copied per query.
 *  One is reused for all. Without a source (a test, a tool) nothing depends on who asks. */
export class Asker {
  octets: Uint8Array = NOBODY;
  at = 0;
  /** 4 or 16; 0 while nobody is known. */
  length = 0;
  #text = "";
  #ofText: Uint8Array = NOBODY;

  /** set names the place of the address. */
  set(octets: Uint8Array, at: number, length: number): void {
    this.octets = octets;
    this.at = at;
    this.length = length;
  }

  /** setText gives the address as Node shows it. Forwarders ask again and again, so the last one is remembered. */
  setText(text: string): void {
    if (text !== this.#text) {
      this.#text = text;
      this.#ofText = addressOf(text);
    }
    this.set(this.#ofText, 0, this.#ofText.length);
  }
}

/** addressOf is an address that Node shows, in octets; none where it is none. Scopes (`fe80::1%eth0`) say where to send,
 *  not who asks. */
export function addressOf(text: string): Uint8Array {
  const ip = parseIp(text.split("%", 1)[0] ?? "");
  return ip.ok ? ipBytes(ip.value) : NOBODY;
}
