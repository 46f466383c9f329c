import { generateKeyPairSync, type KeyObject, randomUUID } from "node:crypto";
import type { Cidr, ClusterId, IdentityKey, Namespace, NodeName, ServiceName, Uid } from "#values";
import {
  digestOf,
  type Envelope,
  type ExportBody,
  formatKey,
  type GrantEntry,
  identityKeyOf,
  type MemberBody,
  type Order,
  seal,
  Tally,
  unsealed,
} from "#wire";

/** What a member was granted; the doubles that play a broker choose it, the others read it from the records. */
export interface Place {
  readonly pods: Cidr;
  readonly nodes: Cidr;
}

/** Signer is a member's key at work: it signs whatever it is told to, true or not. */
export class Signer {
  readonly cluster: ClusterId;
  readonly uid: Uid;
  readonly privateKey: KeyObject;
  generation = 1;
  epoch = 1;
  seq = 0;
  place: Place | null = null;
  /** Everything that its last head covers. */
  readonly tally = new Tally();

  constructor(cluster: string, privateKey = generateKeyPairSync("ed25519").privateKey, uid = randomUUID() as Uid) {
    this.cluster = cluster as ClusterId;
    this.privateKey = privateKey;
    this.uid = uid;
  }

  get key(): IdentityKey {
    return identityKeyOf(this.privateKey);
  }

  get who(): Pick<MemberBody, "cluster" | "uid" | "generation"> {
    return { cluster: this.cluster, uid: this.uid, generation: this.generation };
  }

  /** address is one of its pods, by its last octet. */
  address(last = 7): string {
    return at(this.place?.pods, last);
  }

  /** grants are the entries that give it its place; a gateway named `gw` has index 0. */
  grants(): readonly GrantEntry[] {
    const { pods, nodes } = this.#placed();
    return [
      { kind: "pods", ...this.who, local: "10.244.0.0/16" as Cidr, prefix: pods },
      { kind: "nodes", ...this.who, prefix: nodes },
      { kind: "gateway", ...this.who, name: "gw" as NodeName, index: 0 },
    ];
  }

  /** gateway is the record of a gateway of its own; `change` is the lie. */
  gateway(change: Readonly<Record<string, unknown>> = {}, order: Order = { epoch: 1, seq: 1 }, name = "gw"): Envelope {
    const endpoints = Array.from({ length: 8 }, (_, j) => `192.0.2.9:${51_820 + j}`);
    const tunnelKey = Buffer.alloc(32, this.cluster).toString("base64");
    const address = at(this.#placed().nodes, 1);
    const body = { ...this.who, name, index: 0, tunnelKey, endpoints, address, version: "double", ...change };
    return seal(this.privateKey, `gateway/${this.cluster}/${name}`, order, body);
  }

  /** says is one publication: exports by name (null takes one back), under a head over all of them. */
  says(exports: Readonly<Record<string, Partial<ExportBody> | null>>, order = this.next()): Publication {
    const [put, remove]: [Envelope[], string[]] = [[], []];
    for (const [name, change] of Object.entries(exports)) {
      const key = this.exportKey(name);
      if (change === null) {
        this.tally.remove(key);
        remove.push(key);
        continue;
      }
      const record = unsealed(key, order, { ...exportOf(name, [this.address()]), ...change });
      this.tally.put(key, order, digestOf(record));
      put.push(record);
    }
    return { put: [...put, this.head(order)], remove };
  }

  next(): Order {
    this.seq += 1;
    return { epoch: this.epoch, seq: this.seq };
  }

  head(order: Order, change: Readonly<Record<string, unknown>> = {}): Envelope {
    const body = { ...this.who, count: this.tally.count, root: this.tally.root(), ...change };
    return seal(this.privateKey, `head/${this.cluster}`, order, body);
  }

  leave(change: Readonly<Record<string, unknown>> = {}): Envelope {
    const order = { epoch: this.generation, seq: 1 };
    return seal(this.privateKey, `leave/${this.cluster}`, order, { ...this.who, leftAt: 1, ...change });
  }

  exportKey(name: string): string {
    const [namespace, service] = ["shop" as Namespace, name as ServiceName];
    return formatKey({ kind: "export", cluster: this.cluster, namespace, name: service });
  }

  #placed(): Place {
    if (this.place === null) throw new Error(`${this.cluster} was granted nothing`);
    return this.place;
  }
}

export interface Publication {
  readonly put: readonly Envelope[];
  readonly remove: readonly string[];
}

/** exportOf is a service of one HTTP port with an endpoint at each address. */
export function exportOf(name: string, addresses: readonly string[]): Record<string, unknown> {
  return {
    ...{ namespace: "shop", name, type: "Headless", createdAt: 1 },
    ports: [{ name: "http", protocol: "TCP", port: 80 }],
    ...{ sessionAffinity: "None", ipFamilies: ["IPv4"], labels: {}, annotations: {} },
    slices: [slice(addresses)],
  };
}

/** slice is endpoints at some addresses, all on port 8080. */
export function slice(addresses: readonly string[]): ExportBody["slices"][number] {
  const endpoints = addresses.map((address, i) => ({ address, hostname: `pod-${i}` }));
  return { ports: [{ name: "http", protocol: "TCP", port: 8080 }], endpoints } as ExportBody["slices"][number];
}

/** at is an address of an IPv4 prefix that ends on an octet. */
function at(prefix: Cidr | undefined, last: number): string {
  return (prefix ?? "0.0.0.0/0").replace(/\.0\/\d+$/, `.${last}`);
}
