import type { ExportPort } from "./exported-service.ts";

/** mergePorts is the union of the ports of several exports, given from the oldest. Ports are merged by name first, then
 *  by protocol and port (KEP-1645, "Service Port"); the oldest wins, so that no name and no (protocol, port) occurs
 *  twice. The port without a name counts as one name. */
export function mergePorts(oldestFirst: readonly (readonly ExportPort[])[]): readonly ExportPort[] {
  const merged: ExportPort[] = [];
  for (const ports of oldestFirst) {
    for (const port of ports) {
      if (!merged.some((known) => known.name === port.name || samePlace(known, port))) merged.push(port);
    }
  }
  return merged;
}

/** samePlace reports whether two ports have the same protocol and number, whatever they are called. */
export function samePlace(a: ExportPort, b: ExportPort): boolean {
  return a.port === b.port && a.protocol === b.protocol;
}

/** samePorts reports whether two exports declare the same set of ports, in any order. */
export function samePorts(a: readonly ExportPort[], b: readonly ExportPort[]): boolean {
  return a.length === b.length && a.every((port) => b.some((other) => samePort(port, other)));
}

function samePort(a: ExportPort, b: ExportPort): boolean {
  return a.name === b.name && samePlace(a, b) && (a.appProtocol ?? null) === (b.appProtocol ?? null);
}
