import type { ManifestSource } from "#kube";
import type { Room } from "#life";
import type { Ip, Result } from "#values";
import type { CompiledService } from "./compile-service.ts";

/** KubernetesSide is the live cluster that a gateway reads exports from and writes imports to. */
export interface KubernetesSide extends Room {
  readonly source: ManifestSource;
  /** Whether what is there of ours is known: until then no address of a Service means nothing. */
  readonly listed: boolean;
  /** serve has a service written as it was compiled; undefined: it is no more. */
  serve(key: string, service: CompiledService | undefined): void;
  /** changed has the conditions of exports looked at again. */
  changed(keys: Iterable<string>): void;
  /** answer is what a service's name answers in this cluster, given its service address; null while there is none. */
  answer(key: string, address: Ip | null): Ip | null;
  /** removeAll takes everything of ours out of the cluster, once nothing writes any more; it gives how much. */
  removeAll(signal: AbortSignal): Promise<Result<number>>;
}
