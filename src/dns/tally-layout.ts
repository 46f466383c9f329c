/** What is counted of queries for CoreDNS's metrics, as plain numbers in shared memory: one writer per row, read by
 *  anyone without a message. Aligned 64-bit stores are not torn on the machines Node runs on.
 *
 *    memory = row (a listener and its transport) × zone × cells
 *
 *  The names, labels and buckets are those of CoreDNS 1.14 (plugin/metrics/vars). */

/** Types with a label of their own; every other one is `other`. The order is that of the cells. */
export const TALLY_TYPES: readonly (readonly [name: string, type: number])[] = [
  ["A", 1],
  ["NS", 2],
  ["CNAME", 5],
  ["SOA", 6],
  ["PTR", 12],
  ["MX", 15],
  ["TXT", 16],
  ["AAAA", 28],
  ["SRV", 33],
  ["DS", 43],
  ["RRSIG", 46],
  ["NSEC", 47],
  ["DNSKEY", 48],
  ["NSEC3", 50],
  ["SVCB", 64],
  ["HTTPS", 65],
  ["IXFR", 251],
  ["AXFR", 252],
  ["ANY", 255],
];
/** Cell of a type; the last is `other`. */
export const TYPE_CELLS = TALLY_TYPES.length + 1;

/** Upper bounds in seconds: 0.25 ms × 2^k up to 8.192 s. */
export const TIME_BUCKETS: readonly number[] = Array.from({ length: 16 }, (_, k) => 0.00025 * 2 ** k);
/** Upper bounds in octets. */
export const SIZE_BUCKETS: readonly number[] = [
  0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16e3, 32e3, 48e3, 64e3,
];
/** Response codes with a cell of their own: those of one octet that are given (RFC 6895), BADCOOKIE the last. */
export const RCODE_CELLS = 24;

/** Places of a zone's cells. A histogram has a cell per bucket, one for what is above, and one for the sum. */
export const TALLY = {
  requests: 0,
  dnssecOk: TYPE_CELLS,
  rcodes: TYPE_CELLS + 1,
  seconds: TYPE_CELLS + 1 + RCODE_CELLS,
  requestBytes: TYPE_CELLS + 1 + RCODE_CELLS + 18,
  replyBytes: TYPE_CELLS + 1 + RCODE_CELLS + 18 + 16,
  /** What an access list did: blocked, filtered, dropped, allowed. */
  access: TYPE_CELLS + 1 + RCODE_CELLS + 18 + 32,
  cells: TYPE_CELLS + 1 + RCODE_CELLS + 18 + 32 + 4,
} as const;

/** tallyMemory makes room for rows of so many zones; the zone that is no zone (`dropped`) is one of them, the last. */
export function tallyMemory(rows: number, zones: number): SharedArrayBuffer {
  return new SharedArrayBuffer(rows * zones * TALLY.cells * 8);
}
