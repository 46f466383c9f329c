import { expect } from "vitest";
import type { KubeCluster } from "#lab";
import { PORT, renderExport, renderHello, renderPods } from "./mcs-objects.ts";
import { at, type Fields, type Room } from "./mcs-room.ts";
import { endpointsOf, exportBoth, IMPORTED, type Spec } from "./mcs-spec.ts";

const OWN = "kubernetes.io/service-name=hello";

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

/** The one that demands the exporter's pod addresses in other clusters: where addresses are translated they mean
 *  something else there, or nothing. */
export const OF_POD_ADDRESSES = "a headless name is the addresses of all ready pods, as their own cluster has them";

const PACKETS: readonly Spec[] = [
  {
    name: "what is not exported cannot be reached",
    asks: true,
    run: async (room, one, other) => {
      await room.apply(one, renderHello(room.namespace), renderPods(room.namespace, 1));
      await podsOf(room, one, 1);
      for (const cluster of [one, other]) {
        const said = await room.ask(cluster, `curl -sS --max-time 2 http://${room.name}:${PORT}/hostname`);
        expect(said).toMatch(/Could not resolve host/);
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
    name: OF_POD_ADDRESSES,
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

/** POD_SPECS have pods ask. */
export const POD_SPECS: readonly Spec[] = [...PACKETS, ...NAMES];
