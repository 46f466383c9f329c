/** Ports of services that answer anything: echo and chargen would answer our reply. Port 0 cannot be answered. */
const SILENT: ReadonlySet<number> = new Set([0, 7, 19]);

/** answersPort reports whether a UDP query from a port gets a reply. */
export function answersPort(port: number): boolean {
  return port > 19 || !SILENT.has(port);
}
