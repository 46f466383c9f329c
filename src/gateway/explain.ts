import { type Ip, parseIp } from "#values";
import type { CompiledService } from "./compile-service.ts";
import { ORIGIN } from "./options.ts";
import type { Gateway } from "./state.ts";
import { serviceNow } from "./view.ts";
import { whois } from "./whois.ts";

/** Explanation is what `meridian explain` prints. */
export interface Explanation {
  readonly question: string;
  readonly answer: readonly string[];
  readonly reason: string;
  readonly steps: readonly ExplainStep[];
}

export interface ExplainStep {
  readonly stage: "name" | "namespace" | "export" | "address" | "member" | "endpoint" | "zone" | "owner";
  readonly subject: string;
  readonly verdict: "yes" | "no" | "left out" | "waits";
  readonly why: string;
}

/** explain says why a name answers what it answers, or whose an address is. */
export function explain(gateway: Gateway, question: string): Explanation {
  const address = parseIp(question);
  return address.ok ? explainAddress(gateway, address.value) : explainName(gateway, question);
}

function explainAddress({ follower }: Gateway, address: Ip): Explanation {
  const owner = whois(follower.catalogue, address);
  if (owner === undefined) {
    const reason = `${address} belongs to nobody in the clusterset`;
    return {
      question: address,
      answer: [],
      reason,
      steps: [{ stage: "owner", subject: address, verdict: "no", why: "no live allocation holds it" }],
    };
  }
  const whose =
    owner.kind === "service"
      ? `the service address of ${owner.namespace}/${owner.name}`
      : `${owner.kind === "pods" ? `pod ${owner.local}` : `node ${owner.name ?? ""}`} of ${owner.cluster}`;
  return {
    question: address,
    answer: [whose],
    reason: `${address} is ${whose}`,
    steps: [{ stage: "owner", subject: address, verdict: "yes", why: whose }],
  };
}

/** A name is <service>.<namespace>.svc.ORIGIN, or has a hostname and a cluster (or a port and a protocol) before it. */
function explainName(gateway: Gateway, question: string): Explanation {
  const name = question.toLowerCase().replace(/\.$/, "");
  const labels = name.endsWith(`.svc.${ORIGIN}`) ? name.slice(0, -`.svc.${ORIGIN}`.length).split(".") : [];
  const [service, namespace] = [labels.at(-2), labels.at(-1)];
  if (service === undefined || namespace === undefined) {
    const why = `names are <service>.<namespace>.svc.${ORIGIN}`;
    return { question, answer: [], reason: why, steps: [{ stage: "name", subject: name, verdict: "no", why }] };
  }
  const key = `${namespace}/${service}`;
  const compiled = serviceNow(gateway, key);
  return compiled === undefined
    ? notExported(gateway, question, key)
    : explainService(gateway, question, labels.slice(0, -2), compiled);
}

function notExported({ source, follower }: Gateway, question: string, key: string): Explanation {
  const local = source?.current().exports.get(key);
  const why =
    local === undefined
      ? "no member exports it, and no ServiceExport of that name is in the manifests here"
      : local.service === null
        ? `${local.origin.file}:${local.origin.line}: ServiceExport without a Service of that name`
        : "exported here, and not signed yet: the broker has not let this gateway speak";
  const reason = `${key} does not exist in the clusterset: ${why}`;
  const members = follower.catalogue
    .live()
    .map(
      ({ cluster }): ExplainStep => ({ stage: "member", subject: cluster, verdict: "no", why: "does not export it" }),
    );
  return { question, answer: [], reason, steps: [{ stage: "export", subject: key, verdict: "no", why }, ...members] };
}

function explainService(
  gateway: Gateway,
  question: string,
  host: readonly string[],
  service: CompiledService,
): Explanation {
  const { reconciler } = gateway;
  const announced = reconciler.announced(service.key);
  const steps: ExplainStep[] = service.imported.clusters.map((cluster) => memberStep(gateway, service, cluster));
  const { type, conflicts } = service.imported;
  for (const { reason, message } of conflicts)
    steps.push({ stage: "export", subject: reason, verdict: "yes", why: message });
  if (type === "ClusterSetIP") {
    const why =
      service.address === null
        ? "the broker has granted none yet: Pending"
        : "granted by the broker, the same in every member";
    steps.push({
      stage: "address",
      subject: service.address ?? "-",
      verdict: service.address === null ? "waits" : "yes",
      why,
    });
  }
  steps.push({
    stage: "zone",
    subject: service.key,
    verdict: announced ? "yes" : "waits",
    why: announced ? "announced: this node can carry its packets" : "held back until this node can carry its packets",
  });
  const answer = announced ? answerOf(service, host) : [];
  const stale = service.stale ? "; no exporting member can be reached, so its last known locations are answered" : "";
  const reason =
    answer.length > 0
      ? `${type} exported by ${service.imported.clusters.join(", ")}${stale}`
      : "nothing to answer: see the steps";
  return { question, answer, reason, steps };
}

function memberStep(
  { options, prober, plane }: Gateway,
  service: CompiledService,
  cluster: CompiledService["serving"][number],
): ExplainStep {
  const count = service.imported.backends.filter((backend) => backend.cluster === cluster).length;
  const own = cluster === options.cluster;
  const serving = service.serving.includes(cluster);
  const way = own
    ? "this member"
    : plane === null
      ? "no data plane here"
      : prober.reaches(cluster)
        ? "a tunnel is up"
        : "no tunnel is up";
  return {
    stage: "member",
    subject: cluster,
    verdict: serving ? "yes" : "left out",
    why: `${count} ready endpoints; ${way}`,
  };
}

function answerOf(service: CompiledService, host: readonly string[]): readonly string[] {
  const { zone } = service;
  if (host.length === 0)
    return zone.type === "ClusterSetIP" ? zone.addresses : zone.endpoints.flatMap(({ addresses }) => addresses);
  if (host[0]?.startsWith("_") === true) return zone.type === "ClusterSetIP" ? zone.addresses : [];
  return zone.endpoints
    .filter(({ hostname, cluster }) => hostname === host[0] && cluster === host[1])
    .flatMap(({ addresses }) => addresses);
}
