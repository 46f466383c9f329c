import type { Protocol } from "#values";
import type { ServiceStep, Step } from "./plan.ts";
import { BASE_TABLE, render } from "./render.ts";
import { sizeOf } from "./service-class.ts";
import { PROTOCOL_NUMBER } from "./service-entry.ts";
import { mapOf, renderServiceTable, SERVICE_TABLE, VERDICTS } from "./service-table.ts";

/** Transaction is one input of `nft -f`: all of it or nothing. */
export interface Transaction {
  readonly text: string;
  readonly steps: readonly Step[];
}

/** Elements in one transaction: about 200 kB of text, a few milliseconds of ours to write. */
const BATCH = 4096;

/** transactions writes steps as transactions of bounded size, one when it is asked for. Tables and sets are one, so that
 *  a new guard and the end of an old table are the same moment; a service is never split. A service that changes its
 *  class gets its new endpoints and verdict at one moment and loses the old endpoints in a transaction of its own: a
 *  packet that has the old verdict still looks them up. */
export function* transactions(steps: readonly Step[], batch: number = BATCH): Generator<Transaction> {
  const tables = steps.filter((step) => step.kind !== "service");
  if (tables.length > 0) yield { text: tables.map(tableText).join(""), steps: tables };
  let elements = new Elements();
  let taken: Step[] = [];
  for (const step of steps) {
    if (step.kind !== "service") continue;
    elements.add(step);
    taken.push(step);
    if (elements.size < batch) continue;
    yield* elements.transactions(taken);
    elements = new Elements();
    taken = [];
  }
  if (taken.length > 0) yield* elements.transactions(taken);
}

/** tableText writes a step that is not of services. A table is made before it is deleted, so that deleting one that is
 *  gone in the meantime does not fail. */
function tableText(step: Exclude<Step, { kind: "service" }>): string {
  switch (step.kind) {
    case "base":
      return render(step.plan);
    case "service-table":
      return renderServiceTable(step.servicePrefix);
    case "drop-table": {
      const { family, name } = step.table;
      return `table ${family} ${name}\ndelete table ${family} ${name}\n`;
    }
    case "set": {
      const add = command("add", BASE_TABLE, step.name, step.elements);
      return `flush set ip ${BASE_TABLE} ${step.name}\n${add}`;
    }
  }
}

/** Elements collects the changes of many services by map: one long command costs nft far less than many short ones. */
class Elements {
  readonly #verdicts = { delete: [] as string[], add: [] as string[] };
  /** `delete` goes into the first transaction, `sweep` into the second. */
  readonly #endpoints = {
    delete: new Map<string, string[]>(),
    add: new Map<string, string[]>(),
    sweep: new Map<string, string[]>(),
  };
  size = 0;

  add({ key, from, to }: ServiceStep): void {
    const element = elementKey(key);
    this.size += 2; // at most two verdicts
    if (from?.chain !== to?.chain) {
      if (from?.chain !== undefined) this.#verdicts.delete.push(element);
      if (to !== undefined) this.#verdicts.add.push(`${element} : goto ${to.chain}`);
    }
    const [before, after] = [from?.chain && sizeOf(from.chain), to && sizeOf(to.chain)];
    // Of a class that stays, a bucket is replaced in place; the kernel finds the one or the other, never neither.
    const removal = to === undefined || before === after ? "delete" : "sweep";
    from?.buckets.forEach((endpoint, i) => {
      const stays = before === after && to?.buckets[i] === endpoint;
      if (endpoint !== undefined && before !== undefined && !stays) this.#endpoint(removal, before, element, i);
    });
    for (const [size, bucket] of from?.strays ?? []) this.#endpoint("delete", size, element, bucket);
    to?.buckets.forEach((endpoint, i) => {
      const stays = before === after && from?.buckets[i] === endpoint;
      if (after !== undefined && !stays) this.#endpoint("add", after, element, i, endpoint);
    });
  }

  /** transactions is one, with deletions before additions, since a bucket may be in both, and a second
   *  where old endpoints are to be swept. */
  *transactions(steps: readonly Step[]): Generator<Transaction> {
    const first = [
      command("delete", SERVICE_TABLE, VERDICTS, this.#verdicts.delete),
      ...this.#commands("delete", "delete"),
      ...this.#commands("add", "add"),
      command("add", SERVICE_TABLE, VERDICTS, this.#verdicts.add),
    ];
    yield { text: first.join(""), steps };
    const sweep = this.#commands("delete", "sweep");
    if (sweep.length > 0) yield { text: sweep.join(""), steps: [] };
  }

  /** One command per map. */
  #commands(verb: "delete" | "add", which: "delete" | "add" | "sweep"): string[] {
    return [...this.#endpoints[which]].map(([map, elements]) => command(verb, SERVICE_TABLE, map, elements));
  }

  #endpoint(which: "delete" | "add" | "sweep", size: number, element: string, bucket: number, endpoint?: string): void {
    const list = this.#endpoints[which].get(mapOf(size)) ?? [];
    const key = size === 1 ? element : `${element} . ${bucket}`;
    list.push(endpoint === undefined ? key : `${key} : ${endpoint}`);
    this.#endpoints[which].set(mapOf(size), list);
    this.size += 1;
  }
}

/** elementKey writes a serviceKey as nft has it: `242.192.0.1 . 6 . 80`. */
export function elementKey(key: string): string {
  const [address, protocol, port] = key.split(" ");
  return `${address} . ${PROTOCOL_NUMBER[protocol as Protocol]} . ${port}`;
}

/** command is empty without elements, since nft refuses an empty list. */
function command(verb: "delete" | "add", table: string, set: string, elements: readonly string[]): string {
  return elements.length === 0 ? "" : `${verb} element ip ${table} ${set} { ${elements.join(", ")} }\n`;
}
