import type { ZonePort } from "#dns";
import type { LocalExport } from "#kube";
import { type Ip, parseIp } from "#values";
import type { CompiledService } from "./compile-service.ts";
import type { MemberVerdict } from "./member-verdicts.ts";
import { ORIGIN } from "./options.ts";
import type { PairMode } from "./pair-modes.ts";
import type { Gateway } from "./state.ts";
import { modesNow, serviceNow } from "./view.ts";
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

function explainAddress(gateway: Gateway, address: Ip): Explanation {
  const owner = whois(gateway.follower.catalogue, address, modesNow(gateway));
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

function notExported({ source, follower, session }: Gateway, question: string, key: string): Explanation {
  const local = source?.current().exports.get(key);
  const why = local === undefined ? NOBODY : whyNot(local);
  const open = session.zoneSynced ? "" : "; the catalogue is not known whole yet, so the answer is SERVFAIL";
  const reason = `${key} does not exist in the clusterset: ${why}${open}`;
  const members = follower.catalogue
    .live()
    .map(
      ({ cluster }): ExplainStep => ({ stage: "member", subject: cluster, verdict: "no", why: "does not export it" }),
    );
  return { question, answer: [], reason, steps: [{ stage: "export", subject: key, verdict: "no", why }, ...members] };
}

const NOBODY = "no member exports it, and no ServiceExport of that name is in the manifests here";

/** What stands in the manifests and yet is no export, by KEP-1645's conditions. */
function whyNot({ service, origin: { file, line } }: LocalExport): string {
  if (service === null) return `${file}:${line}: ServiceExport without a Service of that name`;
  if (service.type === "ExternalName") return `${file}:${line}: a Service of type ExternalName cannot be exported`;
  return "exported here, and not signed yet: the broker has not let this gateway speak";
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
  if (announced && answer.length === 0) steps.push(emptyStep(service, host));
  const stale = service.stale
    ? "; stale: no exporting member can be reached, so the last known locations are answered"
    : "";
  const reason =
    answer.length > 0
      ? `${type} exported by ${service.imported.clusters.join(", ")}${stale}`
      : "nothing to answer: see the steps";
  return { question, answer, reason, steps };
}

function memberStep(
  gateway: Gateway,
  service: CompiledService,
  cluster: CompiledService["serving"][number],
): ExplainStep {
  const { options, verdicts, plane } = gateway;
  const count = service.imported.backends.filter((backend) => backend.cluster === cluster).length;
  const own = cluster === options.cluster;
  const serving = service.serving.includes(cluster);
  const there = plane === null ? "no data plane here" : WAYS[verdicts.of(cluster)];
  const way = own ? "this member" : `${there}${modeText(modesNow(gateway).get(cluster))}`;
  return {
    stage: "member",
    subject: cluster,
    verdict: serving ? "yes" : "left out",
    why: `${count} ready endpoints; ${way}${serving && service.stale ? "; stale: its last known location" : ""}`,
  };
}

/** What a member's addresses are to us; nothing where nobody asked for another mode. */
function modeText(mode: PairMode | undefined): string {
  if (mode?.kind === "direct") return "; direct: its pods by their own addresses";
  return mode == null || mode.why === null ? "" : `; globalnet: its pods by global addresses, since ${mode.why}`;
}

const WAYS: Readonly<Record<MemberVerdict, string>> = {
  up: "a tunnel is up",
  held: "a tunnel is up again, but it fell more than once of late, so it is waited for",
  down: "no tunnel is up",
};

/** What the name answers: addresses, or for `_port._protocol` an SRV line `PORT TARGET` each (RFC 2782). */
function answerOf({ zone }: CompiledService, host: readonly string[]): readonly string[] {
  const headless = zone.type === "Headless";
  const [first = "", second = ""] = host;
  if (host.length === 0) return headless ? zone.endpoints.flatMap(({ addresses }) => addresses) : zone.addresses;
  if (host.length > 2) return [];
  const base = `${zone.name}.${zone.namespace}.svc.${ORIGIN}`;
  if (first.startsWith("_") && second.startsWith("_")) {
    const matches = ({ name, protocol }: ZonePort): boolean =>
      name !== "" && `_${name}` === first && `_${protocol.toLowerCase()}` === second;
    const own = zone.ports.filter(matches).map(({ port }) => `${port} ${base}`);
    const each = zone.endpoints.flatMap(({ ports, hostname, cluster }) =>
      ports.filter(matches).map(({ port }) => `${port} ${hostname}.${cluster}.${base}`),
    );
    return headless ? each : own;
  }
  return zone.endpoints
    .filter(({ hostname, cluster }) => hostname === first && cluster === second)
    .flatMap(({ addresses }) => addresses);
}

/** Why an announced name answers nothing. */
function emptyStep({ imported, address }: CompiledService, host: readonly string[]): ExplainStep {
  const subject = host.length === 0 ? `${imported.namespace}/${imported.name}` : host.join(".");
  if (host.length > 0) {
    const why = host[0]?.startsWith("_")
      ? "no port has this name and protocol"
      : imported.type === "Headless"
        ? "no endpoint has this hostname in this cluster"
        : "only headless services have names for their endpoints";
    return { stage: "name", subject, verdict: "no", why };
  }
  const why =
    imported.type === "Headless" ? "no exporting member has a ready endpoint" : "it has no service address yet";
  return { stage: "endpoint", subject: address ?? subject, verdict: "no", why };
}
