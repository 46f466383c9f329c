/** TcpLimits bound what clients can hold (RFC 7766 section 6.2, RFC 9210 section 5). Times in milliseconds. */
export interface TcpLimits {
  /** Connections in all; one more closes the one that was useful longest ago. */
  readonly total: number;
  /** Connections of one source, an IPv4 address or an IPv6 /64, the same way; forwarders' have no limit of their own. */
  readonly perSource: number;
  /** From accepting to the first whole query, and from a query's first octet to its last. */
  readonly messageMs: number;
  /** Between queries. CoreDNS keeps connections for 10 s and takes a reset badly: stay well above. */
  readonly idleMs: number;
  /** For a reply to leave towards a client that does not read. */
  readonly writeMs: number;
  /** Replies that may wait before no more queries of the connection are read, in bytes. */
  readonly backlogBytes: number;
}

export const DEFAULT_TCP_LIMITS: TcpLimits = {
  total: 1024,
  perSource: 128,
  messageMs: 5000,
  idleMs: 30_000,
  writeMs: 10_000,
  backlogBytes: 128 << 10,
};
