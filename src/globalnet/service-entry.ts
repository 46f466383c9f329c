import type { Ip, Protocol } from "#values";

export interface ServiceBackend {
  readonly address: Ip;
  readonly port: number;
  /** Relative share; 0 means no new connections. */
  readonly weight: number;
}

/** ServiceEntry is one port of one service address and the endpoints that answer for it. An entry without a backend
 *  of positive weight is like none: its clients are rejected at once. Entries are values: a changed one is a new
 *  object, so an unchanged object is never looked into. */
export interface ServiceEntry {
  readonly address: Ip;
  readonly protocol: Protocol;
  readonly port: number;
  /** `client`: connections of one source address go to one endpoint. */
  readonly affinity: "none" | "client";
  readonly backends: readonly ServiceBackend[];
}

/** Protocol numbers (IANA), as a host without /etc/protocols still knows them. */
export const PROTOCOL_NUMBER: Readonly<Record<Protocol, number>> = { TCP: 6, UDP: 17, SCTP: 132 };

const PROTOCOL_OF: Readonly<Record<string, Protocol>> = {
  6: "TCP",
  17: "UDP",
  132: "SCTP",
  tcp: "TCP",
  udp: "UDP",
  sctp: "SCTP",
};

/** protocolOf reads a protocol as nft prints it, by number or by name. */
export function protocolOf(text: string): Protocol | undefined {
  return PROTOCOL_OF[text];
}

/** serviceKey names an entry: `242.192.0.1 TCP 80`. */
export function serviceKey({ address, protocol, port }: Pick<ServiceEntry, "address" | "protocol" | "port">): string {
  return `${address} ${protocol} ${port}`;
}

/** sameEntry compares entries by value, as cheaply as a list of backends allows. */
export function sameEntry(a: ServiceEntry, b: ServiceEntry): boolean {
  if (a.affinity !== b.affinity || a.backends.length !== b.backends.length) return false;
  return a.backends.every((one, i) => {
    const other = b.backends[i];
    return one.address === other?.address && one.port === other.port && one.weight === other.weight;
  });
}
