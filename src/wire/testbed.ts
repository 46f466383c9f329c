import { generateKeyPairSync, type KeyObject } from "node:crypto";
import type { Cidr, ClusterId, Ip, Namespace, NodeName, ServiceName, TunnelKey, Uid } from "#values";
import type { ExportBody, GrantEntry } from "./bodies.ts";
import { type Candidate, examine } from "./candidate.ts";
import { type Envelope, formatKey, type Order } from "./record.ts";
import { digestOf, identityKeyObject, identityKeyOf, seal, unsealed } from "./signature.ts";
import { Tally } from "./tally.ts";

/** A clusterset in miniature for tests: one allocation key, members that sign what they say. */

export const allocationKey = generateKeyPairSync("ed25519").privateKey;
export const verifier = identityKeyObject(identityKeyOf(allocationKey));

/** candidatesOf examines envelopes that a test knows to be well-formed. */
export function candidatesOf(...envelopes: readonly Envelope[]): readonly Candidate[] {
  return envelopes.map((envelope) => {
    const candidate = examine(envelope, verifier);
    if (!candidate.ok) throw new Error(candidate.error);
    return candidate.value;
  });
}

export function grant(number: number, ...entries: readonly GrantEntry[]): Envelope {
  return seal(allocationKey, `grant/${number}`, { epoch: 1, seq: number }, { number, entries });
}

/** TestMember is member n: pods 242.n.0.0/16, nodes 242.0.n.0/24. */
export class TestMember {
  readonly cluster: ClusterId;
  readonly uid: Uid;
  readonly privateKey: KeyObject;
  readonly n: number;
  readonly generation: number;
  readonly tally = new Tally();
  #seq = 0;

  constructor(cluster: string, n: number, generation = 1, privateKey = generateKeyPairSync("ed25519").privateKey) {
    this.cluster = cluster as ClusterId;
    this.n = n;
    this.generation = generation;
    this.uid = `00000000-0000-4000-8000-${String(n).padStart(12, "0")}` as Uid;
    this.privateKey = privateKey;
  }

  get who() {
    return { cluster: this.cluster, uid: this.uid, generation: this.generation };
  }

  member(): Envelope {
    const body = { ...this.who, key: identityKeyOf(this.privateKey), joinedAt: 1000 + this.n };
    return seal(allocationKey, `member/${this.cluster}`, { epoch: 1, seq: this.generation }, body);
  }

  grants(): readonly GrantEntry[] {
    return [
      { kind: "pods", ...this.who, local: "10.244.0.0/16" as Cidr, prefix: `242.${this.n}.0.0/16` as Cidr },
      { kind: "nodes", ...this.who, prefix: `242.0.${this.n}.0/24` as Cidr },
      { kind: "gateway", ...this.who, name: "gw" as NodeName, index: 0 },
    ];
  }

  gateway(change: Readonly<Record<string, unknown>> = {}, order: Order = { epoch: 1, seq: 1 }): Envelope {
    const endpoints = Array.from({ length: 8 }, (_, j) => `192.0.2.${this.n}:${51820 + j}`);
    const tunnelKey = Buffer.alloc(32, this.n).toString("base64") as TunnelKey;
    const body = {
      ...this.who,
      name: "gw",
      index: 0,
      tunnelKey,
      endpoints,
      address: `242.0.${this.n}.1`,
      version: "1",
      ...change,
    };
    return seal(this.privateKey, `gateway/${this.cluster}/gw`, order, body);
  }

  /** says signs exports and removals and a head over all of it: one batch. */
  says(
    exports: Readonly<Record<string, string | null>>,
    epoch = 1,
  ): { put: readonly Envelope[]; removed: readonly string[] } {
    this.#seq += 1;
    const order = { epoch, seq: this.#seq };
    const put: Envelope[] = [];
    const removed: string[] = [];
    for (const [name, address] of Object.entries(exports)) {
      const key = this.exportKey(name);
      if (address === null) {
        removed.push(key);
        this.tally.remove(key);
        continue;
      }
      const record = unsealed(key, order, exportOf(name, address));
      this.tally.put(key, order, digestOf(record));
      put.push(record);
    }
    return { put: [...put, this.head(order)], removed };
  }

  head(order: Order): Envelope {
    const body = { ...this.who, count: this.tally.count, root: this.tally.root() };
    return seal(this.privateKey, `head/${this.cluster}`, order, body);
  }

  exportKey(name: string): string {
    return formatKey({
      kind: "export",
      cluster: this.cluster,
      namespace: "shop" as Namespace,
      name: name as ServiceName,
    });
  }
}

export function exportOf(name: string, address: string): ExportBody {
  return {
    namespace: "shop" as Namespace,
    name: name as ServiceName,
    type: "ClusterSetIP",
    createdAt: 1,
    ports: [{ name: "http", protocol: "TCP", port: 80 }],
    sessionAffinity: "None",
    ipFamilies: ["IPv4"],
    labels: {},
    annotations: {},
    slices: [{ ports: [{ name: "http", protocol: "TCP", port: 8080 }], endpoints: [{ address: address as Ip }] }],
  };
}
