/** DnsCompat has answers as CoreDNS gives them where it and the RFCs part, or where the specification leaves a choice.
 *  Each field is one row of docs/dns.md; without any, every answer is the one that the RFCs ask for. */
export interface DnsCompat {
  /** 3.1-version: the text of `dns-version.<zone>`. The specification says 1.0.0, CoreDNS answers 1.1.0. */
  readonly dnsVersion?: string;
  /** 3.3-no-ports: a ClusterSetIP service without ports does not exist. */
  readonly noPorts?: boolean;
  /** 3.3-noendpoints: as the option of this name: headless services and endpoints have no names. */
  readonly noEndpoints?: boolean;
  /** 3.4-Q1: `<cluster>.<headless service>` does not exist, although names below it do. */
  readonly q1ClusterNames?: boolean;
  /** 3.4-Q2: `_tcp.<service>` does not exist, although names below it do. */
  readonly q2ProtocolNames?: boolean;
  /** 3.4-Q3: asked for TXT, a name without records does not exist: the apex, `svc`, a namespace. */
  readonly q3EmptyText?: boolean;
  /** 3.4-Q4: asked for SOA, every name in the zone exists. */
  readonly q4SoaBelowApex?: boolean;
  /** 3.4-Q5: the external plugin's apex: no NS, no `dns`, no `ns.dns`. */
  readonly q5NoApexServer?: boolean;
  /** 3.4-Q6: the external plugin's `pod`: it answers what `svc` does. */
  readonly q6PodNames?: boolean;
  /** 3.4-Q7: endpoints of a ClusterSetIP service have names, where the zone is told of them. */
  readonly q7EndpointNames?: boolean;
}

/** COREDNS is what CoreDNS 1.14 with `kubernetes … { multicluster … }` answers. */
export const COREDNS: DnsCompat = {
  dnsVersion: "1.1.0",
  noPorts: true,
  q1ClusterNames: true,
  q2ProtocolNames: true,
  q3EmptyText: true,
  q4SoaBelowApex: true,
  q7EndpointNames: true,
};
