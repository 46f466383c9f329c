import type { TunnelKey } from "#values";
import type { TunnelPeer } from "./tunnel-plan.ts";

/** Step is one change of the machine. It holds no secret: the private key joins only where `wg` is called.
 *  - `create` makes interface mrd<index> (and its process), in place of a dead one, if its port is free;
 *  - `configure` sets what it names and nothing else: with `listenPort`, key and port too; a peer's null endpoint
 *    leaves the one it has;
 *  - `forget` takes peers away, `destroy` the interface with its process;
 *  - `sysctl` writes a path below /proc/sys;
 *  - `ip` is one line of `ip -batch`. */
export type Step =
  | { readonly kind: "create"; readonly index: number; readonly listenPort: number }
  | ConfigureStep
  | { readonly kind: "forget"; readonly index: number; readonly peers: readonly TunnelKey[] }
  | { readonly kind: "destroy"; readonly index: number }
  | { readonly kind: "sysctl"; readonly name: string; readonly value: string }
  | { readonly kind: "ip"; readonly line: string }
  | { readonly kind: "bridge"; readonly line: string };

export interface ConfigureStep {
  readonly kind: "configure";
  readonly index: number;
  readonly listenPort: number | null;
  readonly peers: readonly TunnelPeer[];
}
