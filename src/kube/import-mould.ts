import { type Ip, isDnsLabel, type Namespace, parseIp, type ServiceName } from "#values";
import type { LocalImport } from "./manifest-object.ts";
import { PlainLines } from "./plain-lines.ts";
import { isWord } from "./plain-scalar.ts";
import { readPlainDocument } from "./plain-yaml.ts";
import { type ImportObject, ownText, quickImport } from "./quick-import.ts";

/** The separator that ends a document, with the line's end before it. */
const SEPARATOR = "\n---\n";
/** What the trial puts in the place of name, namespace and address. */
const TRIAL = { name: "trial-name", namespace: "trial-space", address: "192.0.2.1" } as const;
const FIELDS = ["name", "namespace", "address"] as const;
const IPV4 = /^[0-9]{1,3}(?:\.[0-9]{1,3}){3}$/;

type Field = (typeof FIELDS)[number];
/** The texts of the three fields in one document. */
type Texts = Record<Field, string>;

/** ImportMould reads documents that differ from one it has seen in nothing but the import's name, namespace and one IPv4
 *  address: a file of ten thousand imports was written by a program, and is nearly all of one form.
 *
 *  Whether those are all the places where the three stand is found by trial: with other texts in them, the full reader
 *  must give the same import with other texts. So the mould knows nothing of YAML. */
export class ImportMould {
  /** How many lines a document has, with the separator behind it. */
  readonly lines: number;
  /** What stands before, between and behind the three, to the separator's end. */
  readonly #pieces: readonly string[];
  readonly #order: readonly Field[];
  readonly #like: LocalImport;

  private constructor(pieces: readonly string[], order: readonly Field[], like: LocalImport) {
    this.#pieces = pieces;
    this.#order = order;
    this.#like = like;
    this.lines = pieces.join("").split("\n").length - 1;
  }

  /** of makes the mould of the document that begins at a place and was read as `like`; undefined where it has no
   *  separator behind it, or stands for something else than its texts say. */
  static of(text: string, from: number, { body }: ImportObject): ImportMould | undefined {
    const separator = text.indexOf(SEPARATOR, from);
    const [address] = body.ips;
    if (separator === -1 || address === undefined || body.ips.length !== 1) return undefined;
    const document = text.slice(from, separator + SEPARATOR.length);
    const lines = {
      name: `name: ${body.name}\n`,
      namespace: `namespace: ${body.namespace}\n`,
      address: `- ${address}\n`,
    };
    const ends = FIELDS.map((field) => ({ field, end: onlyEnd(document, lines[field]) })).sort((a, b) => a.end - b.end);
    if (ends.some(({ end }) => end === -1)) return undefined;
    const texts: Texts = { name: body.name, namespace: body.namespace, address };
    const cuts = ends.map(({ field, end }) => ({ start: end - texts[field].length, end }));
    const pieces = [0, ...cuts.map(({ end }) => end)].map((start, i) => document.slice(start, cuts[i]?.start));
    const mould = new ImportMould(
      pieces.map(ownText),
      ends.map(({ field }) => field),
      body,
    );
    return mould.#holds() ? mould : undefined;
  }

  /** read gives the import whose document begins at a place, and where the next one begins; undefined where the document
   *  is not of this form. */
  read(text: string, from: number, line: number): { readonly object: ImportObject; readonly end: number } | undefined {
    const texts: Texts = { name: "", namespace: "", address: "" };
    let at = from;
    for (let i = 0; i < this.#order.length; i += 1) {
      const piece = this.#pieces[i] ?? "";
      if (!text.startsWith(piece, at)) return undefined;
      at += piece.length;
      const end = text.indexOf("\n", at);
      if (end === -1 || end - at > 63) return undefined;
      texts[this.#order[i] ?? "name"] = text.slice(at, end);
      at = end;
    }
    const last = this.#pieces[this.#order.length] ?? "";
    if (!text.startsWith(last, at)) return undefined;
    const body = this.#body(texts);
    if (body === undefined) return undefined;
    const { namespace, name } = body;
    return { object: { kind: "ServiceImport", namespace, name, body, line }, end: at + last.length };
  }

  /** What is certainly the text that it looks like: no number, no word of YAML, and an address written as ever. */
  #body({ name, namespace, address }: Texts): LocalImport | undefined {
    if (!isPlainLabel(name) || !isPlainLabel(namespace) || !IPV4.test(address)) return undefined;
    const ip = parseIp(address);
    if (!ip.ok) return undefined;
    const { type, ports, clusters } = this.#like;
    const ips: readonly Ip[] = [ip.value];
    return {
      namespace: ownText(namespace) as Namespace,
      name: ownText(name) as ServiceName,
      type,
      ports,
      ips,
      clusters,
    };
  }

  #holds(): boolean {
    const filled = this.#order.map((field, i) => `${this.#pieces[i]}${TRIAL[field]}`).join("");
    const trial = `${filled}${this.#pieces.at(-1)}`;
    const read = quickImport(readPlainDocument(new PlainLines(trial)), 1);
    const { type, ports, clusters } = this.#like;
    const { name, namespace, address } = TRIAL;
    return JSON.stringify(read?.body) === JSON.stringify({ namespace, name, type, ports, ips: [address], clusters });
  }
}

/** onlyEnd is where a line of the document ends, before its newline; -1 where there is none or another alike. */
function onlyEnd(document: string, line: string): number {
  const at = document.indexOf(line);
  return at === -1 || at !== document.lastIndexOf(line) ? -1 : at + line.length - 1;
}

/** isPlainLabel is true of labels that YAML takes for text. */
function isPlainLabel(text: string): boolean {
  const first = text.charCodeAt(0);
  return first >= 0x61 && first <= 0x7a && isDnsLabel(text) && !isWord(text);
}
