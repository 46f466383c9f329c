import type { Draft } from "./corefile-draft.ts";
import type { Directive } from "./corefile-syntax.ts";

const MOST_LAME_MS = 8000;

/** readHealth reads health [ADDRESS] { lameduck SPAN }. */
export function readHealth(directive: Directive, draft: Draft): void {
  draft.atMost(1, directive);
  let lameduckMs = 0;
  for (const { name, args } of directive.block ?? []) {
    if (name.text === "lameduck") lameduckMs = draft.span(args[0], 0, 0);
    if (lameduckMs > MOST_LAME_MS)
      draft.fault(name, "lameduck is at most 8s: a daemon stops within 10 s of its signal");
    if (name.text === "lameduck") continue;
    draft.fault(name, `health has no "${name.text}": it has lameduck`);
  }
  const at = draft.place(directive.args[0], { host: null, port: 8080 });
  const { health } = draft.shared;
  if (health !== null && (health.at.host !== at.host || health.at.port !== at.port)) {
    draft.fault(
      directive.name,
      `health answers at port ${health.at.port} already: one address is enough, leave this out`,
    );
  }
  draft.shared.health = { at, lameduckMs: Math.max(lameduckMs, health?.lameduckMs ?? 0) };
}

/** readReady reads ready [ADDRESS] { monitor until-ready|continuously }. */
export function readReady(directive: Directive, draft: Draft): void {
  draft.atMost(1, directive);
  let continuously = false;
  for (const { name, args } of directive.block ?? []) {
    const mode = args[0]?.text;
    if (name.text !== "monitor") draft.fault(name, `ready has no "${name.text}": it has monitor`);
    else if (mode !== "until-ready" && mode !== "continuously")
      draft.fault(name, "monitor must be until-ready or continuously");
    else continuously = mode === "continuously";
  }
  draft.shared.ready = { at: draft.place(directive.args[0], { host: null, port: 8181 }), continuously };
}

/** readPrometheus reads prometheus [ADDRESS]. */
export function readPrometheus(directive: Directive, draft: Draft): void {
  draft.atMost(1, directive);
  draft.noBlock(directive);
  draft.metrics = true;
  draft.shared.prometheus = draft.place(directive.args[0], { host: "127.0.0.1" as never, port: 9153 });
}

/** readReload reads reload [INTERVAL] [JITTER]: at least 2 s and 1 s, the jitter at most half the interval. */
export function readReload(directive: Directive, draft: Draft): void {
  draft.atMost(2, directive);
  draft.noBlock(directive);
  const [interval, jitter] = directive.args;
  const intervalMs = draft.span(interval, 2000, 30_000);
  const jitterMs = jitter === undefined ? Math.min(15_000, intervalMs / 2) : draft.span(jitter, 1000, 1000);
  if (jitter !== undefined && jitterMs > intervalMs / 2) {
    draft.fault(jitter, `the jitter must be at most half of the interval: "${jitter.text}"`);
  }
  draft.shared.reload = { intervalMs, jitterMs };
}
