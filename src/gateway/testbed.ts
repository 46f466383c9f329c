import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Cidr,
  type ClusterId,
  type Ip,
  expect as must,
  type Namespace,
  type NodeName,
  parseCidr,
  parseIp,
  type ServiceName,
  type Uid,
} from "#values";
import {
  type Candidate,
  Catalogue,
  digestOf,
  type Envelope,
  type ExportBody,
  examine,
  type GrantEntry,
  identityKeyObject,
  identityKeyOf,
  type Order,
  seal,
  Tally,
  unsealed,
} from "#wire";
import type { GatewayOptions } from "./options.ts";

/** A clusterset for the tests of this room: members with keys, and a broker's key that grants. */

export const allocationKey = generateKeyPairSync("ed25519").privateKey;
export const verifier: KeyObject = identityKeyObject(identityKeyOf(allocationKey));
export const STORE = "00000000-0000-4000-8000-0000000000aa" as Uid;
export const SUPERNET = cidr("242.0.0.0/8");
export const SERVICES = cidr("242.192.0.0/10");
export const GW = "gw" as NodeName;

export function cidr(text: string): Cidr {
  return must(parseCidr(text));
}

export function ip(text: string): Ip {
  return must(parseIp(text));
}

/** dataDir is an empty folder of its own. */
export function dataDir(): string {
  return mkdtempSync(join(tmpdir(), "meridian-gateway-"));
}

let grants = 0;

/** grant is the next grant record of the broker. */
export function grant(...entries: readonly GrantEntry[]): Envelope {
  grants += 1;
  return seal(allocationKey, `grant/${grants}`, { epoch: 1, seq: grants }, { number: grants, entries });
}

export function serviceGrant(name: string, address: string): GrantEntry {
  return { kind: "service", namespace: "shop" as Namespace, name: name as ServiceName, address: ip(address) };
}

export function candidatesOf(...envelopes: readonly Envelope[]): readonly Candidate[] {
  return envelopes.map((envelope) => must(examine(envelope, verifier)));
}

export function catalogueOf(...envelopes: readonly Envelope[]): Catalogue {
  const catalogue = new Catalogue();
  const { refusals } = catalogue.apply(candidatesOf(...envelopes));
  if (refusals.length > 0) throw new Error(JSON.stringify(refusals));
  return catalogue;
}

/** TestMember is member n: pods 242.n.0.0/16 for 10.244.0.0/16, nodes 242.0.n.0/24, gateway "gw" with index 0. */
export class TestMember {
  readonly cluster: ClusterId;
  readonly n: number;
  readonly generation: number;
  readonly privateKey: KeyObject = generateKeyPairSync("ed25519").privateKey;
  readonly tally = new Tally();
  #seq = 0;

  constructor(cluster: string, n: number, generation = 1) {
    this.cluster = cluster as ClusterId;
    this.n = n;
    this.generation = generation;
  }

  get uid(): Uid {
    return `00000000-0000-4000-8000-${String(this.n).padStart(12, "0")}` as Uid;
  }

  get who() {
    return { cluster: this.cluster, uid: this.uid, generation: this.generation };
  }

  member(): Envelope {
    const body = { ...this.who, key: identityKeyOf(this.privateKey), joinedAt: 1000 + this.n };
    return seal(allocationKey, `member/${this.cluster}`, { epoch: 1, seq: this.generation }, body);
  }

  entries(local = "10.244.0.0/16"): readonly GrantEntry[] {
    return [
      { kind: "pods", ...this.who, local: cidr(local), prefix: cidr(`242.${this.n}.0.0/16`) },
      { kind: "nodes", ...this.who, prefix: cidr(`242.0.${this.n}.0/24`) },
      { kind: "gateway", ...this.who, name: GW, index: 0 },
    ];
  }

  /** joined is what makes it a member: its record and its grants. */
  joined(local?: string): readonly Envelope[] {
    return [grant(...this.entries(local)), this.member()];
  }

  /** offering is a member whose pods may be reached by their own addresses (--globalnet off). */
  offering(local: string, ...taken: readonly string[]): readonly Envelope[] {
    return [...this.joined(local), this.gateway({ direct: { taken } })];
  }

  gateway(change: Readonly<Record<string, unknown>> = {}, order: Order = { epoch: 1, seq: 1 }): Envelope {
    const name = (change["name"] as string | undefined) ?? GW;
    const endpoints = Array.from({ length: 8 }, (_, j) => `198.51.100.${this.n}:${51_820 + j}`);
    const tunnelKey = Buffer.alloc(32, this.n * 8 + Number(change["index"] ?? 0)).toString("base64");
    const body = { ...this.who, name, index: 0, tunnelKey, endpoints, address: `242.0.${this.n}.1`, version: "1" };
    return seal(this.privateKey, `gateway/${this.cluster}/${name}`, order, { ...body, ...change });
  }

  leave(): Envelope {
    return seal(this.privateKey, `leave/${this.cluster}`, { epoch: 1, seq: 1 }, { ...this.who, leftAt: 1 });
  }

  eviction(): Envelope {
    return seal(allocationKey, `eviction/${this.cluster}`, { epoch: 1, seq: 1 }, { ...this.who, evictedAt: 1 });
  }

  /** says is one batch: exports by name (null takes one back), and the head over all of them. */
  says(exports: Readonly<Record<string, ExportBody | null>>, epoch = 1): readonly Envelope[] {
    this.#seq += 1;
    const order = { epoch, seq: this.#seq };
    const put: Envelope[] = [];
    for (const [name, body] of Object.entries(exports)) {
      const key = `export/${this.cluster}/shop/${name}`;
      if (body === null) this.tally.remove(key);
      else {
        const record = unsealed(key, order, body);
        this.tally.put(key, order, digestOf(record));
        put.push(record);
      }
    }
    return [...put, this.head(order)];
  }

  head(order: Order): Envelope {
    const body = { ...this.who, count: this.tally.count, root: this.tally.root() };
    return seal(this.privateKey, `head/${this.cluster}`, order, body);
  }
}

/** exportBody is a service of one HTTP port with an endpoint at each address. */
export function exportBody(name: string, addresses: readonly string[], change: Partial<ExportBody> = {}): ExportBody {
  const endpoints = addresses.map((address, at) => ({ address: ip(address), hostname: `${name}-${at}` }));
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
    slices: [{ ports: [{ name: "http", protocol: "TCP", port: 8080 }], endpoints }],
    ...change,
  };
}

/** optionsOf is the configuration of amber's gateway. */
export function optionsOf(change: Partial<GatewayOptions> = {}): GatewayOptions {
  const dir = change.dataDir ?? "/nowhere";
  return {
    dataDir: dir,
    cluster: "amber" as ClusterId,
    joinToken: null,
    podCidrs: [cidr("10.244.0.0/16")],
    serviceCidrs: [cidr("10.96.0.0/16")],
    globalnet: true,
    globalCidrs: [],
    manifests: null,
    kubernetes: null,
    namespace: "meridian",
    nodeWay: "auto",
    exportMarkers: [],
    clustersetIp: "derived",
    source: null,
    endpoint: null,
    listenPort: 51_820,
    dataPlane: "none",
    wireguardGo: null,
    dns: [{ host: ip("127.0.0.1"), port: 0 }],
    http: null,
    name: GW,
    identityFile: join(dir, "identity.json"),
    path: "",
    version: "1",
    ...change,
  };
}
