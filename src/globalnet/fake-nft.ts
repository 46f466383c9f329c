import type { CommandFault } from "#life";
import { err, ok, type Result } from "#values";
import type { Nft } from "./nft.ts";

/** A set or map: element to its data, "" in a set. */
type Elements = Map<string, string>;

/** A table as far as it matters here; rules are text. */
interface FakeTable {
  comment: string;
  readonly counters: string[];
  /** Kind and type as declared, and what is in it. */
  readonly sets: Map<string, { readonly kind: string; readonly type: string; readonly elements: Elements }>;
  readonly chains: Map<string, string[]>;
}

/** FakeNft is nftables without a kernel: it knows the commands this room writes, refuses what the kernel refuses (an
 *  element that is not there, one that is there with other data, a verdict to no chain), and prints itself as nft does. */
export class FakeNft implements Nft {
  #tables = new Map<string, FakeTable>();
  /** Number of transactions that were applied. */
  transactions = 0;
  /** The next transaction for which this is true fails. */
  failWhen: (text: string) => boolean = () => false;

  async run(text: string): Promise<Result<void, CommandFault>> {
    const next = structuredClone(this.#tables);
    try {
      if (this.failWhen(text)) throw new Error("told to fail");
      runLines(next, text.split("\n"));
    } catch (error) {
      return err({ kind: "failed", argv: ["nft", "-f", "-"], code: 1, stderr: String(error) });
    }
    this.#tables = next;
    this.transactions += 1;
    return ok(undefined);
  }

  /** list knows the three listings that this room asks for. */
  async list(args: readonly string[]): Promise<Result<string, CommandFault>> {
    const [json, , what, , , name = ""] = args;
    const table = this.#tables.get(name ? `ip ${name}` : "");
    if (what === "tables") {
      const tables = [...this.#tables.keys()].map((key) => key.split(" "));
      return ok(JSON.stringify({ nftables: tables.map(([family, title]) => ({ table: { family, name: title } })) }));
    }
    if (what === "counters" && table !== undefined) {
      const counters = table.counters.map((title) => ({ counter: { name: title, packets: 0, bytes: 0 } }));
      return ok(JSON.stringify({ nftables: counters }));
    }
    const wanted = this.#tables.get(`${args[3]} ${args[4]}`);
    if (json === "-n" && wanted !== undefined) return ok(printTable(`${args[3]} ${args[4]}`, wanted));
    return err({ kind: "failed", argv: ["nft", ...args], code: 1, stderr: "No such file or directory" });
  }

  toString(): string {
    return [...this.#tables].map(([key, table]) => printTable(key, table)).join("");
  }
}

/** runLines carries out a transaction on a copy, and throws at the first command that a kernel would refuse. */
function runLines(tables: Map<string, FakeTable>, lines: readonly string[]): void {
  for (let i = 0; i < lines.length; i += 1) {
    const line = lines[i]?.trim() ?? "";
    if (line === "") continue;
    const [first = "", second = "", third = "", fourth = ""] = line.split(" ");
    if (first === "table") {
      const key = `${second} ${third}`;
      const table = tables.get(key) ?? { comment: "", counters: [], sets: new Map(), chains: new Map() };
      tables.set(key, table);
      if (line.endsWith("{")) i = declare(table, lines, i + 1);
    } else if (first === "delete" && second === "table") {
      if (!tables.delete(`${third} ${fourth}`)) throw new Error(`no table ${third} ${fourth}`);
    } else change(tables, line);
  }
}

/** declare reads a table's body and gives the number of its last line. */
function declare(table: FakeTable, lines: readonly string[], from: number): number {
  let chain: string[] | undefined;
  for (let i = from; ; i += 1) {
    const line = lines[i]?.trim();
    if (line === undefined) throw new Error("table without an end");
    const [, kind, name = "", rest = ""] =
      /^(comment|counter|set|map|chain) (\S+)(?: \{ ?(.*?) ?\}?)?$/.exec(line) ?? [];
    if (line === "}") {
      if (chain === undefined) return i;
      chain = undefined;
    } else if (chain !== undefined) chain.push(line);
    else if (kind === "comment") table.comment = name;
    else if (kind === "counter") table.counters.push(name);
    else if (kind === "chain") {
      const rules = rest === "" ? [] : [rest];
      table.chains.set(name, rules);
      if (rest === "") chain = rules;
    } else if (kind === "set" || kind === "map") declareSet(table, kind, name, rest);
    else throw new Error(`syntax error: ${line}`);
  }
}

/** declareSet reads the body of a set or map: its type, and elements if it has some. */
function declareSet(table: FakeTable, kind: string, name: string, body: string): void {
  const [, type = "", list = ""] = /^((?:type|typeof) [^;]*);(?: elements = \{ (.*) \};)?$/.exec(body) ?? [];
  if (type === "") throw new Error(`syntax error: ${body}`);
  table.sets.set(name, { kind, type, elements: new Map(elementsOf(list)) });
}

/** change adds, deletes or flushes elements. To add what is there with the same data is allowed, as in the kernel. */
function change(tables: Map<string, FakeTable>, line: string): void {
  const [, verb = "", family = "", tableName = "", setName = "", list = ""] =
    /^(add element|delete element|flush set) (\S+) (\S+) (\S+)(?: \{ (.*) \})?$/.exec(line) ?? [];
  const table = tables.get(`${family} ${tableName}`);
  const elements = table?.sets.get(setName)?.elements;
  if (table === undefined || elements === undefined) throw new Error(`no such set: ${line.slice(0, 80)}`);
  if (verb === "flush set") elements.clear();
  for (const [key, data] of elementsOf(list)) {
    if (verb === "delete element" ? !elements.delete(key) : (elements.get(key) ?? data) !== data) {
      throw new Error(`${verb} ${setName}: ${key}`);
    }
    const chain = /^goto (\S+)$/.exec(data)?.[1];
    if (chain !== undefined && !table.chains.has(chain)) throw new Error(`no chain ${chain}`);
    if (verb === "add element") elements.set(key, data);
  }
}

/** elementsOf splits a list into keys and their data. */
function elementsOf(list: string): readonly (readonly [string, string])[] {
  const elements = list === "" ? [] : list.split(", ");
  return elements.map((element) => {
    const [key = "", data = ""] = element.split(" : ");
    return [key, data];
  });
}

/** printTable indents by tabs and breaks lists after each element, as nft 1.0.6 does. */
function printTable(key: string, { comment, counters, sets, chains }: FakeTable): string {
  const lines = [`table ${key} {`, `\tcomment ${comment}`];
  for (const name of counters) lines.push(`\tcounter ${name} {`, "\t\tpackets 0 bytes 0", "\t}", "");
  for (const [name, { kind, type, elements }] of sets) {
    const list = [...elements].sort().map(([element, data]) => (data === "" ? element : `${element} : ${data}`));
    const printed = list.length === 0 ? [] : [`\t\telements = { ${list.join(",\n\t\t\t     ")} }`];
    lines.push(`\t${kind} ${name} {`, `\t\t${type}`, ...printed, "\t}", "");
  }
  for (const [name, rules] of chains) lines.push(`\tchain ${name} {`, ...rules.map((rule) => `\t\t${rule}`), "\t}", "");
  return [...lines, "}", ""].join("\n");
}
