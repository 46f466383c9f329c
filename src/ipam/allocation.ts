import type { Cidr, ClusterId, Millis, Namespace, ServiceName, Uid } from "#values";

/** AllocationKind says which pool a prefix comes from, and what it stands for. */
export type AllocationKind = "pods" | "nodes" | "service" | "reserved";

/** AllocationState of one prefix:
 *     (free) ──> live <──> quarantine ──> (free)
 *  Only its former owner may take it back out of quarantine. */
export type AllocationState = "live" | "quarantine";

/** Allocation is one prefix of a supernet and whose it is. Allocations never overlap, resting ones included. */
export interface Allocation {
  /** A service's is a /32 or /128. */
  readonly prefix: Cidr;
  readonly kind: AllocationKind;
  /** Owner of pods and nodes; null for a service, which the whole clusterset owns, and for a reserved prefix. */
  readonly cluster: ClusterId | null;
  readonly uid: Uid | null;
  /** Pods: the pod CIDR that the prefix stands for, of the same length. */
  readonly local: Cidr | null;
  /** Service: namespace and name. */
  readonly namespace: Namespace | null;
  readonly name: ServiceName | null;
  /** Service: the member that asked for it first, or that brought it back: its quota counts it. */
  readonly askedBy: ClusterId | null;
  /** Reserved by hand: why. */
  readonly note: string | null;
  readonly state: AllocationState;
  /** When it entered its state. */
  readonly since: Millis;
}

/** RefusalCode tells callers apart what they may answer differently:
 *  - `overlap`: somebody else has it, or it rests in quarantine; `owner` says who
 *  - `outside-supernet`: not in the pool that it would have to come from
 *  - `pool-exhausted`: no free block of that length, or the pool could never hold one
 *  - `length-mismatch`: a global prefix needs family and length of its pod CIDR
 *  - `quota`: the member has all the service addresses that one member may have
 *  - `unknown`: the broker has no supernet of that family */
export type RefusalCode = "overlap" | "outside-supernet" | "pool-exhausted" | "length-mismatch" | "quota" | "unknown";

/** Refusal is why an address was not granted, in a sentence that names the values. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly message: string;
  readonly owner: Allocation | null;
}

/** refusal writes a refusal; its owner is null unless somebody is in the way. */
export function refusal(code: RefusalCode, message: string, owner: Allocation | null = null): Refusal {
  return { code, message, owner };
}

/** granted fills in what a kind of allocation does not have; what is granted is live from now on. The fields are
 *  written out since spreading objects would be a tenth of the time of a large batch. */
export function granted(
  of: Pick<Allocation, "prefix" | "kind"> & Partial<Omit<Allocation, "state" | "since">>,
  now: Millis,
): Allocation {
  return {
    prefix: of.prefix,
    kind: of.kind,
    cluster: of.cluster ?? null,
    uid: of.uid ?? null,
    local: of.local ?? null,
    namespace: of.namespace ?? null,
    name: of.name ?? null,
    askedBy: of.askedBy ?? null,
    note: of.note ?? null,
    state: "live",
    since: now,
  };
}

/** revived is a live form of an allocation, with what has changed about its owner. A live one keeps its age. */
export function revived(was: Allocation, change: Partial<Allocation>, now: Millis): Allocation {
  return { ...was, ...change, state: "live", since: was.state === "live" ? was.since : now };
}

/** rested is an allocation sent into quarantine. */
export function rested(was: Allocation, now: Millis): Allocation {
  return { ...was, state: "quarantine", since: now };
}

/** describe names an allocation in messages: `242.1.0.0/16, the pods of cluster a`. */
export function describe(of: Allocation): string {
  const rest = of.state === "quarantine" ? `, in quarantine since ${new Date(of.since).toISOString()}` : "";
  switch (of.kind) {
    case "pods":
    case "nodes":
      return `${of.prefix}, the ${of.kind} of cluster ${of.cluster}${rest}`;
    case "service":
      return `${of.prefix}, the service ${of.namespace}/${of.name}${rest}`;
    case "reserved":
      return `${of.prefix}, reserved by hand (${of.note ?? "no reason given"})${rest}`;
  }
}
