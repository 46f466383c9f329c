import { endpointHostname } from "./endpoint-hostname.ts";
import type { ExportPort, ExportSlice } from "./exported-service.ts";
import type { Backend, ExportOf, Target } from "./imported-service.ts";
import { samePlace } from "./merge-ports.ts";

/** backendsOf lists the endpoints of one member's export. They carry a merged port only where the member itself exports
 *  that (protocol, port), whatever it calls it, and always under the merged name: traffic to a port in conflict reaches
 *  only the members that expose it (KEP-1645). An endpoint that stands in two slices becomes one backend. */
export function backendsOf(
  { cluster, body }: ExportOf,
  merged: readonly ExportPort[],
  which: "endpoints" | "draining",
): readonly Backend[] {
  const backends = body.slices.flatMap((slice): readonly Backend[] => {
    const endpoints = slice[which] ?? [];
    if (endpoints.length === 0) return [];
    const targets = targetsOf(slice, body.ports, merged);
    return endpoints.map(({ address, hostname, node }) => {
      return { cluster, address, hostname: hostname || endpointHostname(address), node: node ?? null, targets };
    });
  });
  return body.slices.length > 1 ? withoutRepeats(backends, merged) : backends;
}

function withoutRepeats(backends: readonly Backend[], merged: readonly ExportPort[]): readonly Backend[] {
  const unique = new Map<string, Backend>();
  for (const backend of backends) {
    const key = `${backend.address} ${backend.hostname}`;
    const before = unique.get(key);
    const both = before && { ...before, targets: union(before.targets, backend.targets, merged) };
    unique.set(key, both ?? backend);
  }
  return [...unique.values()];
}

function targetsOf(slice: ExportSlice, own: readonly ExportPort[], merged: readonly ExportPort[]): readonly Target[] {
  const targets: Target[] = [];
  for (const port of merged) {
    const mine = own.find((candidate) => samePlace(candidate, port));
    if (mine === undefined) continue;
    const { name, protocol } = mine;
    const target = slice.ports.find((candidate) => candidate.name === name && candidate.protocol === protocol);
    if (target !== undefined) {
      targets.push({ portName: port.name, protocol: port.protocol, port: port.port, target: target.port });
    }
  }
  return targets;
}

/** union keeps, for each merged port, the target that the earlier slice gave. */
function union(a: readonly Target[], b: readonly Target[], merged: readonly ExportPort[]): readonly Target[] {
  const both = [...a, ...b];
  return merged.flatMap(({ name }) => both.find(({ portName }) => portName === name) ?? []);
}
