/** ClustersetIp is where the clusterset IP of an import comes from: `derived`, the cluster IP of a Service that is derived
 *  from it; `global`, its service address, which is the same in all clusters and which our service tables translate. */
export const CLUSTERSET_IPS = ["derived", "global"] as const;
export type ClustersetIp = (typeof CLUSTERSET_IPS)[number];

/** clustersetIpOf reads it as a user wrote it; undefined: it is none. */
export function clustersetIpOf(text: string): ClustersetIp | undefined {
  return CLUSTERSET_IPS.find((one) => one === text);
}
