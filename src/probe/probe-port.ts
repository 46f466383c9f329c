/** Port of the probes (UDP) and throughput tests (TCP) on every gateway's global address. */
export const PROBE_PORT = 7720;
