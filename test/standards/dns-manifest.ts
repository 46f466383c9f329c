import { createManifestSource } from "#kube";
import { silentLog, systemClock, Troubles } from "#life";
import { mergeExports } from "#services";
import { type Cidr, type ClusterId, millis } from "#values";
import type { ZoneService } from "../../src/dns/zone.ts";
import { exportBodyOf } from "../../src/gateway/export-body.ts";

/** Addresses mean the same everywhere here: what is looked at is which endpoints there are, and their names. */
const IDENTITY = {
  pods: ["10.0.0.0/8", "fd00::/8"].map((cidr) => ({ local: cidr as Cidr, global: cidr as Cidr })),
  nodes: new Map(),
};

/** headlessFromManifest reads a folder as the program does and gives the service that one export in it becomes. */
export async function headlessFromManifest(dir: string, key: string, cluster: string): Promise<ZoneService> {
  const end = new AbortController();
  const parts = { clock: systemClock, log: silentLog, troubles: new Troubles(), random: () => 0.5 };
  const source = createManifestSource({ dir, ...parts });
  const run = source.run(end.signal);
  try {
    await source.synced;
    const manifests = source.current();
    const local = manifests.exports.get(key);
    const body = local === undefined ? undefined : exportBodyOf(local, 0, IDENTITY);
    if (body === undefined) throw new Error(`${key} is not exported in ${dir}`);
    const { namespace, name, type, backends } = mergeExports([
      { cluster: cluster as ClusterId, joinedAt: millis(0), body },
    ]);
    const endpoints = backends.map(({ hostname, address, targets, ...of }) => ({
      cluster: of.cluster,
      hostname,
      addresses: [address],
      ports: targets.map(({ portName, protocol, target }) => ({ name: portName, protocol, port: target })),
    }));
    return { namespace, name, type, addresses: [], ports: [], endpoints };
  } finally {
    end.abort();
    await run;
  }
}
