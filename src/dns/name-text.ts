/** nameText shows the name at a place as text for a log line or a label: lower case, dots between labels and one at the
 *  end. Whatever is no letter, digit, `-` or `_` is `\DDD` (RFC 1035 section 5.1), so no name can end a line, close a
 *  quote or pass for two labels. The name has been read before: it is whole and has no pointers. */
export function nameText(octets: Uint8Array, at: number): string {
  let text = "";
  let place = at;
  for (;;) {
    const length = octets[place++] ?? 0;
    if (length === 0) return text === "" ? "." : text;
    for (let i = 0; i < length; i++) text += octetText(octets[place + i] ?? 0);
    text += ".";
    place += length;
  }
}

function octetText(octet: number): string {
  const isPlain =
    (octet >= 0x61 && octet <= 0x7a) || (octet >= 0x30 && octet <= 0x39) || octet === 0x2d || octet === 0x5f;
  if (isPlain) return String.fromCharCode(octet);
  if (octet >= 0x41 && octet <= 0x5a) return String.fromCharCode(octet + 0x20);
  return `\\${String(octet).padStart(3, "0")}`;
}
