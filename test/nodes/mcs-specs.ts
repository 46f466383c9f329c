import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { KubeCluster } from "#lab";
import { PORT, renderExport, renderHello, renderPods } from "./mcs-objects.ts";
import { at, type Fields, type Room } from "./mcs-room.ts";

/** What the upstream suite (sigs.k8s.io/mcs-api/conformance) demands of two clusters with pods, written anew from
 *  KEP-1645: the first cluster exports, both are looked at. */
export interface Spec {
  readonly name: string;
  /** Whether pods ask: objects alone need none. */
  readonly asks?: boolean;
  readonly run: (room: Room, one: KubeCluster, other: KubeCluster) => Promise<void>;
}

const SERVICE = "multicluster.kubernetes.io/service-name";
const SOURCE = "multicluster.kubernetes.io/source-cluster";
const MANAGER = "endpointslice.kubernetes.io/managed-by";
const IMPORTED = `${SERVICE}=hello`;
const OWN = "kubernetes.io/service-name=hello";
/** Creation times have whole seconds, and the oldest export wins. */
const OLDER_MS = 1100;
/** Upstream takes a Service's own ports with no particular order. */
const TCP_AND_UDP = [`tcp TCP ${PORT}`, `udp UDP ${PORT}`];

const typed = (type: string) => (one: Fields) => at(one, "spec", "type") === type;
const portsOf = (one: Fields): readonly string[] =>
  ((at(one, "spec", "ports") ?? []) as readonly Fields[])
    .map(({ name, protocol, port }) => `${name} ${protocol} ${port}`)
    .toSorted();
const hasPorts = (ports: readonly string[]) => (one: Fields) => portsOf(one).join() === ports.join();
const endpointsOf = (slices: readonly Fields[]): readonly Fields[] =>
  slices.flatMap((slice) => (slice["endpoints"] ?? []) as readonly Fields[]);
const isReady = (endpoint: Fields): boolean => at(endpoint, "conditions", "ready") === true;

/** podsOf waits for the ready endpoints that a cluster itself has for the service: address, and the name it stands for. */
async function podsOf(room: Room, cluster: KubeCluster, count: number) {
  const slices = await room.slicesThat(cluster, OWN, `${count} ready`, (found) => {
    return endpointsOf(found).filter(isReady).length === count;
  });
  return endpointsOf(slices).map((endpoint) => {
    const [address = ""] = endpoint["addresses"] as readonly string[];
    return { address, hostname: (endpoint["hostname"] as string | undefined) ?? address.replaceAll(".", "-") };
  });
}

/** What two clusters export under one name, the second later than the first. */
async function exportBoth(room: Room, first: readonly string[], second: readonly string[]): Promise<void> {
  const [one, other] = room.clusters as readonly [KubeCluster, KubeCluster];
  await room.apply(one, ...first);
  await sleep(OLDER_MS);
  await room.apply(other, ...second);
}

const OBJECTS: readonly Spec[] = [
  {
    name: "an import is there as long as one cluster exports",
    run: async (room, one, other) => {
      const all = [renderHello(room.namespace), renderExport(room.namespace)];
      await room.apply(one, ...all);
      await room.importThat(one, "there");
      await room.apply(other, ...all);
      await room.stays(one, true);
      await room.unexport(one);
      await room.stays(one, true);
      await room.unexport(other);
      await room.noImport(one);
    },
  },
  {
    name: "labels and annotations of the ServiceExport's spec go along, and no others",
    run: async (room, one) => {
      await room.apply(one, renderHello(room.namespace), renderExport(room.namespace, "told"));
      const found = await room.importThat(one, "told", (object) => at(object, "metadata", "labels", "told") === "true");
      expect(at(found, "metadata", "annotations", "told")).toBe("true");
      expect(at(found, "metadata", "labels")).not.toHaveProperty("own");
      expect(at(found, "metadata", "annotations")).not.toHaveProperty("own");
    },
  },
  {
    name: "labels that differ: the oldest's, and a conflict on each export",
    run: async (room, one, other) => {
      const of = (tag: string) => [renderHello(room.namespace), renderExport(room.namespace, tag)];
      await exportBoth(room, of("older"), of("younger"));
      for (const cluster of [one, other]) await room.conditionThat(cluster, "Conflict", "True");
      const found = await room.importThat(one, "the oldest's", (object) => {
        return at(object, "metadata", "labels", "older") === "true";
      });
      expect(at(found, "metadata", "labels")).not.toHaveProperty("younger");
    },
  },
  ...(["ClusterSetIP", "Headless"] as const).map(
    (type): Spec => ({
      name: `an import of type ${type} is in each cluster, and gone once it is not exported`,
      run: async (room, one, other) => {
        const hello = renderHello(room.namespace, { headless: type === "Headless" });
        await room.apply(one, hello, renderExport(room.namespace));
        for (const cluster of [one, other]) await room.importThat(cluster, type, typed(type));
        await room.unexport(one);
        for (const cluster of [one, other]) await room.noImport(cluster);
      },
    }),
  ),
  {
    name: "session affinity, ports, families and an address are the Service's",
    run: async (room, one, other) => {
      await room.apply(one, renderHello(room.namespace), renderExport(room.namespace));
      for (const cluster of [one, other]) {
        const isIp = (object: Fields): boolean => /^\d+(\.\d+){3}$/.test(String(at(object, "spec", "ips", "0")));
        const { spec } = (await room.importThat(cluster, "with an address", isIp)) as { readonly spec: Fields };
        expect(spec).toMatchObject({
          sessionAffinity: "ClientIP",
          sessionAffinityConfig: { clientIP: { timeoutSeconds: 10 } },
          internalTrafficPolicy: "Cluster",
          ipFamilies: ["IPv4"],
        });
        expect(portsOf({ spec })).toEqual(TCP_AND_UDP);
      }
    },
  },
  {
    name: "two clusters' ports are one union",
    run: async (room, one, other) => {
      const ports = `[{name: tcp, port: ${PORT}, protocol: TCP}, {name: stcp, port: 142, protocol: SCTP}]`;
      const exported = renderExport(room.namespace);
      await exportBoth(
        room,
        [renderHello(room.namespace), exported],
        [renderHello(room.namespace, { ports }), exported],
      );
      const union = ["stcp SCTP 142", ...TCP_AND_UDP];
      for (const cluster of [one, other]) await room.importThat(cluster, union.join(), hasPorts(union));
    },
  },
  {
    name: "ports that differ: the oldest's, and a conflict on each export",
    run: async (room, one, other) => {
      const ports = `[{name: tcp, port: ${PORT + 1}, protocol: TCP}]`;
      const exported = renderExport(room.namespace);
      await exportBoth(
        room,
        [renderHello(room.namespace), exported],
        [renderHello(room.namespace, { ports }), exported],
      );
      for (const cluster of [one, other]) await room.conditionThat(cluster, "Conflict", "True");
      for (const cluster of [one, other]) await room.importThat(cluster, "the oldest's", hasPorts(TCP_AND_UDP));
    },
  },
  {
    name: "headless in one cluster alone: as the oldest is, and a conflict on each export",
    run: async (room, one, other) => {
      const exported = renderExport(room.namespace);
      const younger = renderHello(room.namespace, { headless: true });
      await exportBoth(room, [renderHello(room.namespace), exported], [younger, exported]);
      for (const cluster of [one, other]) await room.conditionThat(cluster, "Conflict", "True");
      for (const cluster of [one, other]) await room.importThat(cluster, "ClusterSetIP", typed("ClusterSetIP"));
    },
  },
  {
    name: "a headless import has no address",
    run: async (room, one) => {
      await room.apply(one, renderHello(room.namespace, { headless: true }), renderExport(room.namespace));
      const found = await room.importThat(one, "Headless", typed("Headless"));
      expect(at(found, "spec", "ips") ?? []).toEqual([]);
      expect(at(found, "spec", "ipFamilies")).toEqual(["IPv4"]);
      await room.stays(one, true);
      expect(at(await room.importThat(one, "there"), "spec", "ips") ?? []).toEqual([]);
    },
  },
  {
    name: "an ExternalName Service is not valid, and there is no import",
    run: async (room, one) => {
      await room.apply(one, renderHello(room.namespace, { externalName: true }), renderExport(room.namespace));
      await room.conditionThat(one, "Valid", "False");
      await room.stays(one, false);
    },
  },
  {
    name: "slices carry the labels of the standard, and are gone once it is not exported",
    run: async (room, one, other) => {
      const ns = room.namespace;
      await room.apply(one, renderHello(ns), renderPods(ns, 1), renderExport(ns));
      for (const cluster of [one, other]) {
        const [slice] = await room.slicesThat(cluster, IMPORTED, "one", (found) => found.length === 1);
        const labels = at(slice, "metadata", "labels") as Fields;
        expect(labels[SOURCE]).toBe(one.name);
        expect(labels[MANAGER]).toMatch(/^(?!endpointslice-controller).+/);
      }
      await room.unexport(one);
      for (const cluster of [one, other])
        await room.slicesThat(cluster, IMPORTED, "none", (found) => found.length === 0);
    },
  },
];

const PACKETS: readonly Spec[] = [
  {
    name: "what is not exported cannot be reached",
    asks: true,
    run: async (room, one, other) => {
      await room.apply(one, renderHello(room.namespace), renderPods(room.namespace, 1));
      await podsOf(room, one, 1);
      for (const cluster of [one, other]) {
        const said = await room.ask(cluster, `wget -q -T 2 -O - http://${room.name}:${PORT}/hostname`);
        expect(said).toMatch(/bad address/);
      }
    },
  },
  {
    name: "what is exported is reached by its name from each cluster, by TCP and UDP",
    asks: true,
    run: async (room, one, other) => {
      const ns = room.namespace;
      await room.apply(one, renderHello(ns), renderPods(ns, 1), renderExport(ns));
      for (const cluster of [one, other]) {
        await room.hostnameFrom(cluster, "TCP");
        await room.hostnameFrom(cluster, "UDP");
      }
    },
  },
  {
    name: "exported by both clusters it is answered by pods of both",
    asks: true,
    run: async (room, one, other) => {
      const ns = room.namespace;
      const all = [renderHello(ns, { affinity: false }), renderPods(ns, 1), renderExport(ns)];
      await exportBoth(room, all, all);
      for (const cluster of [one, other]) {
        const first = await room.hostnameFrom(cluster, "TCP");
        await room.hostnameFrom(cluster, "TCP", (name) => name.startsWith("hello-") && name !== first);
      }
    },
  },
];

const NAMES: readonly Spec[] = [
  {
    name: "the name of a ClusterIP Service is the address of its import",
    asks: true,
    run: async (room, one, other) => {
      await room.apply(one, renderHello(room.namespace), renderExport(room.namespace));
      for (const cluster of [one, other]) {
        const found = await room.importThat(
          cluster,
          "with an address",
          (object) => at(object, "spec", "ips", "0") != null,
        );
        await room.addressesOf(cluster, room.name, [String(at(found, "spec", "ips", "0"))]);
      }
    },
  },
  {
    name: "SRV of a ClusterIP Service's name: each port once, at that name",
    asks: true,
    run: async (room, one, other) => {
      await room.apply(one, renderHello(room.namespace), renderExport(room.namespace));
      for (const cluster of [one, other]) {
        await room.srvOf(cluster, room.name, ([srv, ...more]) => {
          return more.length === 0 && srv?.port === PORT && srv.target === room.name;
        });
      }
    },
  },
  {
    name: "a name of cluster.local is the local Service's, and nobody else's",
    asks: true,
    run: async (room, one, other) => {
      await room.apply(one, renderHello(room.namespace), renderExport(room.namespace));
      for (const cluster of [one, other]) await room.importThat(cluster, "there");
      const ip = await room.kubectl(one, ["get", "service", "hello", "-o", "jsonpath={.spec.clusterIP}"]);
      const local = `hello.${room.namespace}.svc.cluster.local`;
      await room.addressesOf(one, local, [ip]);
      await room.addressesOf(other, local, []);
    },
  },
  {
    name: "a headless name is the addresses of all ready pods, as their own cluster has them",
    asks: true,
    run: async (room, one, other) => {
      const ns = room.namespace;
      await room.apply(one, renderHello(ns, { headless: true }), renderPods(ns, 2), renderExport(ns));
      const addresses = (await podsOf(room, one, 2)).map(({ address }) => address);
      for (const cluster of [one, other]) await room.addressesOf(cluster, room.name, addresses);
    },
  },
  {
    name: "pods of a headless StatefulSet have names, with the addresses that the slices have",
    asks: true,
    run: async (room, one, other) => {
      const ns = room.namespace;
      await room.apply(one, renderHello(ns, { headless: true }), renderPods(ns, 2, "StatefulSet"), renderExport(ns));
      for (const cluster of [one, other]) {
        const slices = await room.slicesThat(cluster, IMPORTED, "two ready", (found) => {
          return endpointsOf(found).filter(isReady).length === 2;
        });
        const names = endpointsOf(slices).map((endpoint) => String(endpoint["hostname"]));
        expect(names.toSorted()).toEqual(["hello-0", "hello-1"]);
        for (const endpoint of endpointsOf(slices)) {
          const name = `${endpoint["hostname"]}.${one.name}.${room.name}`;
          await room.addressesOf(cluster, name, endpoint["addresses"] as readonly string[]);
        }
      }
    },
  },
  {
    name: "SRV of a headless name: one record a pod, named after its host name, else after its own address",
    asks: true,
    run: async (room, one, other) => {
      const ns = room.namespace;
      await room.apply(one, renderHello(ns, { headless: true }), renderPods(ns, 2), renderExport(ns));
      const names = (await podsOf(room, one, 2)).map(({ hostname }) => hostname).toSorted();
      for (const cluster of [one, other]) {
        await room.srvOf(cluster, room.name, (records) => {
          const hosts = records.map(({ target }) => target.split(".")[0]).toSorted();
          return hosts.join() === names.join() && records.every(({ port }) => port === PORT);
        });
      }
    },
  },
];

/** SPECS is all of it. */
export const SPECS: readonly Spec[] = [...OBJECTS, ...PACKETS, ...NAMES];

/** The one that demands the exporter's pod addresses in other clusters: where addresses are translated they mean
 *  something else there, or nothing. */
export const OF_POD_ADDRESSES = "a headless name is the addresses of all ready pods, as their own cluster has them";
