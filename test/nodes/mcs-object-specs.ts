import { expect } from "vitest";
import { PORT, renderExport, renderHello, renderPods } from "./mcs-objects.ts";
import { at, type Fields } from "./mcs-room.ts";
import { exportBoth, IMPORTED, type Spec } from "./mcs-spec.ts";

const SOURCE = "multicluster.kubernetes.io/source-cluster";
const MANAGER = "endpointslice.kubernetes.io/managed-by";
const TCP_AND_UDP = [`tcp TCP ${PORT}`, `udp UDP ${PORT}`];

const typed = (type: string) => (one: Fields) => at(one, "spec", "type") === type;
/** Their order is nobody's. */
const portsOf = (one: Fields): readonly string[] =>
  ((at(one, "spec", "ports") ?? []) as readonly Fields[])
    .map(({ name, protocol, port }) => `${name} ${protocol} ${port}`)
    .toSorted();
const hasPorts = (ports: readonly string[]) => (one: Fields) => portsOf(one).join() === ports.join();

/** OBJECT_SPECS look at objects alone. */
export const OBJECT_SPECS: readonly Spec[] = [
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
        await room.conditionThat(one, "Valid", "True");
        for (const cluster of [one, other]) await room.importThat(cluster, type, typed(type));
        await room.unexport(one);
        for (const cluster of [one, other]) await room.noImport(cluster);
      },
    }),
  ),
  {
    name: "affinity, traffic policies, ports and families are the Service's, and there is an address",
    run: async (room, one, other) => {
      await room.apply(one, renderHello(room.namespace), renderExport(room.namespace));
      for (const cluster of [one, other]) {
        const isIp = (object: Fields): boolean => /^\d+(\.\d+){3}$/.test(String(at(object, "spec", "ips", "0")));
        const { spec } = (await room.importThat(cluster, "with an address", isIp)) as { readonly spec: Fields };
        expect(spec).toMatchObject({
          sessionAffinity: "ClientIP",
          sessionAffinityConfig: { clientIP: { timeoutSeconds: 10 } },
          internalTrafficPolicy: "Cluster",
          trafficDistribution: "PreferClose",
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
