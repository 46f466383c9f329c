import { err, ok, type Result } from "#values";

const BEGIN = "# meridian: begin";
const END = "# meridian: end";

/** addForward gives a Corefile one server block more: queries for a zone go to an address, all others nowhere new. The
 *  block that an earlier call made is replaced. A Corefile that answers the zone already is not ours to change. */
export function addForward(corefile: string, zone: string, address: string): Result<string> {
  const rest = removeForward(corefile);
  if (serves(rest, zone)) {
    return err(`the Corefile serves ${zone} already: take that out, or give --dns-integration none`);
  }
  const block = [BEGIN, `${zone}:53 {`, "    errors", `    forward . ${address}`, "}", END, ""];
  return ok(`${rest}${rest === "" || rest.endsWith("\n") ? "" : "\n"}${block.join("\n")}`);
}

/** removeForward takes out what addForward made, and changes nothing else. */
export function removeForward(corefile: string): string {
  const lines = corefile.split("\n");
  const [from, to] = [lines.indexOf(BEGIN), lines.indexOf(END)];
  return from === -1 || to < from ? corefile : [...lines.slice(0, from), ...lines.slice(to + 1)].join("\n");
}

/** Whether a server block or a plugin names the zone; a comment does not. */
function serves(corefile: string, zone: string): boolean {
  const words = corefile.split("\n").flatMap((line) => line.replace(/#.*/, "").split(/[\s,{}]+/));
  return words.some(
    (word) =>
      word
        .replace(/^dns:\/\//, "")
        .replace(/:\d+$/, "")
        .replace(/\.$/, "") === zone,
  );
}

/** reloads reports whether CoreDNS notices a change of its Corefile itself (the plugin `reload`). */
export function reloads(corefile: string): boolean {
  return /^\s*reload(\s|$)/m.test(corefile);
}
