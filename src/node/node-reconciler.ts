import type { Globalnet } from "#globalnet";
import type { NetworkDocument } from "#kube";
import { type Clock, describeFault, Latest, type Log, type Room, type Troubles, wakeOrAfter } from "#life";
import { localLinks, neighboursOf, remoteLinks, type Tunnels, underlayOf } from "#tunnel";
import { cidrFamily, err, type NodeName, ok, type Result } from "#values";
import { type CompiledNode, compileNode } from "./compile-node.ts";
import type { NetworkKeeper } from "./network-keeper.ts";
import { NO_SERVICES, type NodeTable } from "./node-table.ts";

export interface NodeReconcilerParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly troubles: Troubles;
  readonly name: NodeName;
  readonly network: NetworkKeeper;
  /** What the service table is to hold; null where nothing tells of services. */
  readonly table: NodeTable | null;
  readonly plane: { readonly tunnels: Tunnels; readonly globalnet: Globalnet };
  readonly isUp: (gateway: NodeName) => boolean | undefined;
  /** probe has the gateways measured. */
  readonly probe: (node: CompiledNode) => void;
}

const DRIFT_MS = 30_000;
const RETRY_MS = 1000;

/** NodeReconciler makes the machine what the gateways' word and the probes say: the guard first, then routes, then
 *  translation. What is in force stays while nobody says otherwise. */
export class NodeReconciler implements Room {
  readonly name = "node";
  readonly #parts: NodeReconcilerParts;
  readonly #wake = new Latest(0);
  readonly #applied = new Latest<CompiledNode | null>(null);
  #fault: string | null = null;
  /** Whether the machine is to be looked at; where not, only services may have changed. */
  #stale = true;
  #network: NetworkDocument | null = null;

  constructor(parts: NodeReconcilerParts) {
    this.#parts = parts;
  }

  /** applied is what is in force; null before the first. */
  get applied(): CompiledNode | null {
    return this.#applied.value;
  }

  /** fault says why the last pass did not end well; null where it did. */
  get fault(): string | null {
    return this.#fault;
  }

  /** first resolves with the first that is in force. */
  async first(): Promise<CompiledNode> {
    while (this.#applied.value === null) await this.#applied.changed();
    return this.#applied.value;
  }

  mark(): void {
    this.#stale = true;
    this.markServices();
  }

  /** markServices says that the table may be to hold something else. */
  markServices(): void {
    this.#wake.set(this.#wake.value + 1);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, troubles, network, plane } = this.#parts;
    let looked = clock.monotonic();
    while (!signal.aborted) {
      const woken = Promise.race([this.#wake.changed(), network.changed()]);
      if (clock.monotonic() - looked >= DRIFT_MS) {
        looked = clock.monotonic();
        this.#stale = true;
        plane.globalnet.forget();
      }
      const done = await this.#pass(signal).catch((error: unknown) => {
        log.error("reconciling failed", { error: String(error) });
        return err(String(error));
      });
      if (signal.aborted) return;
      this.#fault = done.ok ? null : done.error;
      if (!done.ok) this.#stale = true;
      const title = "The machine is not as it should be";
      if (done.ok) troubles.clear("reconcile-failed");
      else troubles.set({ code: "reconcile-failed", severity: "critical", title, subject: "", detail: done.error });
      if (done.ok) await wakeOrAfter(woken, clock, this.#untilNext(looked), signal);
      else await wakeOrAfter(new Promise(() => {}), clock, RETRY_MS, signal);
    }
  }

  /** How long until the machine is looked at again, or something has to be taken out of the table. */
  #untilNext(looked: number): number {
    const { clock, table } = this.#parts;
    const next = Math.min(looked + DRIFT_MS, table?.nextAt() ?? Number.POSITIVE_INFINITY);
    return Math.max(50, next - clock.monotonic() + 5);
  }

  /** One pass. Services change more often than all else: then the table alone is looked after. */
  async #pass(signal: AbortSignal): Promise<Result<void>> {
    const { plane, probe, network } = this.#parts;
    const last = this.#applied.value;
    if (!this.#stale && last !== null && network.current === this.#network) return this.#translate(last, signal);
    this.#stale = false;
    this.#network = network.current;
    const compiled = await this.#compile();
    if (!compiled.ok || compiled.value === null) return compiled.ok ? ok(undefined) : compiled;
    const { routes, globalnet } = compiled.value;
    const guarded = await plane.globalnet.guard(globalnet, signal);
    if (!guarded.ok) return err(describeFault(guarded.error));
    const routed = await plane.tunnels.reconcile(routes);
    probe(compiled.value);
    if (!routed.ok) return routed;
    return this.#translate(compiled.value, signal);
  }

  async #translate(compiled: CompiledNode, signal: AbortSignal): Promise<Result<void>> {
    const { plane, table, network } = this.#parts;
    const { hairpin, ...services } = (network.current && table?.want(network.current)) ?? NO_SERVICES;
    const translated = await plane.globalnet.reconcile(
      { plan: { ...compiled.globalnet, hairpin }, ...services },
      signal,
    );
    if (!translated.ok) return err(describeFault(translated.error));
    this.#applied.set(compiled);
    return ok(undefined);
  }

  /** Null while there is nothing to do: the gateways have not told, or do not know this node. */
  async #compile(): Promise<Result<CompiledNode | null>> {
    const { network, name, isUp, troubles } = this.#parts;
    const document = network.current;
    if (document === null) return ok(null);
    const node = document.nodes.find((one) => one.name === name);
    if (node === undefined) {
      this.#unknown(document.gateways.some((gateway) => gateway.name === name));
      return ok(null);
    }
    troubles.clear("node-unknown");
    const pods = document.pods.map(({ local }) => local).filter((cidr) => cidrFamily(cidr) === 4);
    const gateways = document.gateways.map(({ local }) => local);
    const [links, others, neighbours, underlay] = await Promise.all([
      localLinks(pods),
      remoteLinks(pods),
      neighboursOf(gateways),
      underlayOf(gateways[0] ?? node.local),
    ]);
    if (!links.ok) return links;
    if (!others.ok) return others;
    if (!neighbours.ok) return neighbours;
    if (!underlay.ok) return underlay;
    const { link, mtu } = underlay.value;
    const machine = {
      localLinks: links.value,
      neighbours: neighbours.value,
      underlayMtu: mtu,
      underlayLinks: [link, ...others.value],
    };
    return ok(compileNode({ network: document, node, isUp, ...machine }));
  }

  /** What is in force stays, as when a node's object is lost for a moment. */
  #unknown(isGateway: boolean): void {
    const detail = isGateway
      ? "it is a gateway of its cluster: run the gateway here, and nothing beside it"
      : "they number the nodes that the cluster has: look at kubectl get nodes, and at the node prefix's room";
    const title = "The gateways do not know this node";
    this.#parts.troubles.set({ code: "node-unknown", severity: "warning", title, subject: "", detail });
  }
}
