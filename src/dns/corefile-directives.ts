import { readAcl } from "./corefile-acl.ts";
import { zoneName } from "./corefile-address.ts";
import type { Draft } from "./corefile-draft.ts";
import { readErrors, readLog } from "./corefile-log.ts";
import { readHealth, readPrometheus, readReady, readReload } from "./corefile-operation.ts";
import type { Directive } from "./corefile-syntax.ts";
import { isWithin } from "./corefile-zones.ts";

/** What a directive does to its server block; what is wrong with it becomes a fault of the draft. */
export type ReadDirective = (directive: Directive, draft: Draft) => void;

/** The directives that are served, with the meaning that CoreDNS 1.14 gives them. */
export const DIRECTIVES: Readonly<Record<string, ReadDirective>> = {
  acl: readAcl,
  any: alwaysSo, // ANY gets one record in any case (RFC 8482)
  bind: readBind,
  bufsize: readBufsize,
  cache: readCache,
  debug: (directive, draft) => {
    alwaysSo(directive, draft);
    draft.shared.debug = true;
  },
  errors: readErrors,
  health: readHealth,
  kubernetes: readKubernetes,
  loadbalance: readLoadbalance,
  log: readLog,
  loop: alwaysSo, // nobody is asked, so no query can come round
  multicluster: readMulticluster,
  prometheus: readPrometheus,
  ready: readReady,
  reload: readReload,
  timeouts: readTimeouts,
};

function alwaysSo(directive: Directive, draft: Draft): void {
  draft.atMost(0, directive);
  draft.noBlock(directive);
}

/** bind ADDRESS|INTERFACE… { except ADDRESS|INTERFACE… } */
function readBind({ name, args, block }: Directive, draft: Draft): void {
  if (args.length === 0) draft.fault(name, "bind needs an address or an interface");
  draft.bind.push(...args.map(({ text }) => text));
  for (const inner of block ?? []) {
    if (inner.name.text === "except") draft.except.push(...inner.args.map(({ text }) => text));
    else draft.fault(inner.name, `bind has no "${inner.name.text}": it has except`);
  }
}

/** bufsize [512–4096]: larger replies than 1232 octets come by TCP, since fragments get lost. */
function readBufsize(directive: Directive, draft: Draft): void {
  alwaysSo({ ...directive, args: directive.args.slice(1) }, draft);
  draft.bufsize = Math.min(1232, draft.whole(directive.args[0], [512, 4096], 1232));
}

/** cache [TTL] [ZONES…] { success CAPACITY [TTL] [MINTTL]; denial … }: all answers come from memory, so what is left
 *  of a cache is that it bounds lifetimes: 5 s at least, an hour at most (denials half an hour). */
function readCache({ args, block }: Directive, draft: Draft): void {
  const [first] = args;
  const general = /^\d+$/.test(first?.text ?? "") ? draft.whole(first, [1, 86_400], 3600) : 3600;
  const caps = [Math.min(general, 3600)];
  for (const inner of block ?? []) {
    const { name } = inner;
    if (name.text === "success" || name.text === "denial") {
      draft.whole(inner.args[0], [0, 100_000_000], 0);
      caps.push(draft.whole(inner.args[1], [1, 86_400], caps[0] ?? 3600));
    } else draft.fault(name, `nothing is cached here, so there is nothing to ${name.text}: leave it out`);
  }
  draft.cap = Math.max(5, Math.min(...caps));
}

/** loadbalance [round_robin]: addresses turn in every case. */
function readLoadbalance(directive: Directive, draft: Draft): void {
  const [policy, ...rest] = directive.args;
  draft.noBlock(directive);
  if (policy !== undefined && policy.text !== "round_robin") {
    draft.fault(policy, `loadbalance ${policy.text} is not served: every address has an equal share (round_robin)`);
  } else draft.atMost(0, { ...directive, args: rest });
}

/** timeouts { read SPAN; write SPAN; idle SPAN }, of TCP. */
function readTimeouts(directive: Directive, draft: Draft): void {
  draft.atMost(0, directive);
  for (const { name, args } of directive.block ?? []) {
    const ms = draft.span(args[0], 1000, 0);
    if (name.text === "read") draft.tcp.messageMs = ms;
    else if (name.text === "write") draft.tcp.writeMs = ms;
    else if (name.text === "idle") draft.tcp.idleMs = ms;
    else draft.fault(name, `timeouts has no "${name.text}" here: it has read, write and idle`);
  }
}

/** multicluster [ZONES…] { noendpoints }: as the external plugin. */
function readMulticluster({ args, block, name }: Directive, draft: Draft): void {
  addOrigins(args.length === 0 ? draft.zones.map((text) => ({ ...name, text })) : args, draft);
  for (const inner of block ?? []) readCommon(inner, draft, "multicluster");
}

/** kubernetes [ZONES…] { multicluster ZONES…; ttl SECONDS; noendpoints; … } as the built-in plugin: of its zones only
 *  the multicluster ones are served. */
function readKubernetes({ name, args, block }: Directive, draft: Draft): void {
  const lines = block ?? [];
  const multicluster = lines.filter((inner) => inner.name.text === "multicluster").flatMap((inner) => inner.args);
  const served = new Set(multicluster.map(({ text }) => normal(text)));
  const zones = args.length === 0 ? draft.zones.map((text) => ({ ...name, text })) : args;
  for (const zone of zones) {
    if (!served.has(normal(zone.text))) {
      draft.fault(
        zone,
        `${zone.text || "."} is no multicluster zone: leave it to CoreDNS, and name here what follows "multicluster"`,
      );
    }
  }
  if (multicluster.length === 0) draft.fault(name, "kubernetes needs a line as: multicluster clusterset.local");
  addOrigins(multicluster, draft);
  for (const inner of lines) {
    if (inner.name.text === "multicluster") continue;
    if (inner.name.text === "ttl") draft.ttl = draft.whole(inner.args[0], [0, 3600], 5);
    else readCommon(inner, draft, "kubernetes");
  }
}

/** Lines that both plugins have, and why others are not served. */
const SOURCES = "objects are read where --manifests says: leave it out";
const REFUSED_LINES: Readonly<Record<string, string>> = {
  kubeconfig: SOURCES,
  endpoint: SOURCES,
  tls: SOURCES,
  apiserver_qps: SOURCES,
  apiserver_burst: SOURCES,
  fallthrough: "there is nothing behind it here, and NXDOMAIN is final: leave it out",
  namespaces: "every namespace in the folder is served: leave it out, or keep others out of the folder",
  labels: "every import in the folder is served: leave it out",
  namespace_labels: "every namespace in the folder is served: leave it out",
  pods: "pods have no names in a multicluster zone: leave it out, or write pods disabled",
  endpoint_pod_names: "an endpoint is named by its hostname, else by its address: leave it out",
  ignore: "a headless service without endpoints is NXDOMAIN, any other has its address: leave it out",
};

function readCommon({ name, args }: Directive, draft: Draft, plugin: string): void {
  const { text } = name;
  if (text === "noendpoints") draft.endpoints = false;
  else if (text === "startup_timeout") draft.startupMs = draft.span(args[0], 0, 5000);
  else if (text === "pods" && args[0]?.text === "disabled") return;
  else draft.fault(name, REFUSED_LINES[text] ?? `${plugin} has no "${text}"`);
}

/** An origin must be what the block is for, or below it: else no query for it would come here. */
function addOrigins(
  zones: readonly { readonly text: string; readonly file: string; readonly line: number }[],
  draft: Draft,
): void {
  for (const zone of zones) {
    const name = zoneName(zone.text === "" ? "." : zone.text);
    if (!name.ok) draft.fault(zone, name.error);
    else if (name.value === "")
      draft.fault(zone, "the root is no multicluster zone: write multicluster clusterset.local");
    else if (name.value.endsWith(".arpa")) draft.fault(zone, "a clusterset address has no reverse name: leave it out");
    else if (!draft.zones.some((block) => isWithin(name.value, block))) {
      draft.fault(zone, `${name.value} is in none of the zones of its server block`);
    } else if (!draft.origins.includes(name.value)) draft.origins.push(name.value);
  }
}

function normal(text: string): string {
  return text.toLowerCase().replace(/\.$/, "");
}
