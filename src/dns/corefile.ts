import { err, nearest, ok, type Result } from "#values";
import { readAddress, type ZoneAddress } from "./corefile-address.ts";
import { DIRECTIVES } from "./corefile-directives.ts";
import { Draft, type Shared } from "./corefile-draft.ts";
import type { CorefilePlan, CorefileServer } from "./corefile-plan.ts";
import { REFUSED_PLUGINS } from "./corefile-refusals.ts";
import {
  type CorefileText,
  type CorefileWorld,
  type Directive,
  readSyntax,
  type ServerBlock,
} from "./corefile-syntax.ts";

/** readCorefile gives what a Corefile asks for, or every reason why it cannot be had, each with file, line and the
 *  nearest thing there is. It is pure: the world is handed in. */
export function readCorefile(text: CorefileText, world: CorefileWorld): Result<CorefilePlan, readonly string[]> {
  const blocks = readSyntax(text, world);
  if (!blocks.ok) return err([blocks.error]);
  const faults: string[] = [];
  const shared: Shared = { health: null, ready: null, prometheus: null, reload: null, debug: false };
  const servers = blocks.value.flatMap((block) => readBlock(block, shared, faults));
  faults.push(...twiceServed(servers));
  if (servers.length === 0 && faults.length === 0) {
    faults.push(`${text.file}:1: there is no server block: write clusterset.local { multicluster }`);
  }
  return faults.length === 0 ? ok({ ...shared, servers }) : err(faults);
}

/** A block is one server per port that its keys name. */
function readBlock({ keys, directives }: ServerBlock, shared: Shared, faults: string[]): readonly CorefileServer[] {
  const addresses = keys.flatMap((key): ZoneAddress[] => {
    const address = readAddress(key.text);
    if (address.ok) return [address.value];
    faults.push(`${key.file}:${key.line}: ${address.error}`);
    return [];
  });
  const zones = [...new Set(addresses.flatMap((address) => address.zones))];
  const draft = new Draft(zones, shared, faults);
  for (const directive of directives) readDirective(directive, draft);
  const place = `${keys[0]?.file}:${keys[0]?.line}`;
  const plugins = [...new Set(directives.map(({ name }) => name.text))].toSorted();
  return [...new Set(addresses.map(({ port }) => port))].map((port) => {
    const here = addresses.filter((address) => address.port === port).flatMap((address) => address.zones);
    return serverOf(draft, { place, port, zones: here, plugins });
  });
}

/** A word that CoreDNS knows is refused with what there is instead, another one with what was probably meant. */
function readDirective(directive: Directive, draft: Draft): void {
  const { name } = directive;
  const known = Object.hasOwn(DIRECTIVES, name.text) ? DIRECTIVES[name.text] : undefined;
  if (known !== undefined) return known(directive, draft);
  const why = Object.hasOwn(REFUSED_PLUGINS, name.text) ? REFUSED_PLUGINS[name.text] : undefined;
  if (why !== undefined) return draft.fault(name, `${name.text} is not served here: ${why}`);
  const meant = nearest(name.text, Object.keys(DIRECTIVES));
  const hint = meant === undefined ? `there is ${Object.keys(DIRECTIVES).join(", ")}` : `did you mean ${meant}?`;
  draft.fault(name, `unknown directive "${name.text}"; ${hint}`);
}

function serverOf(
  draft: Draft,
  { place, port, zones, plugins }: Pick<CorefileServer, "place" | "port" | "zones" | "plugins">,
): CorefileServer {
  const { bind, except, origins, endpoints, bufsize, acl, log, errors, metrics, startupMs, tcp, cap, ttl } = draft;
  const capped = cap === null ? ttl : Math.max(5, Math.min(ttl, cap));
  const common = { endpoints, bufsize, acl, log, errors, metrics, startupMs, tcp };
  return { place, port, zones, plugins, bind, except, origins, ttl: capped, ...common };
}

/** The same zone at the same place twice is a mistake: one of the two would never be asked. */
function twiceServed(servers: readonly CorefileServer[]): readonly string[] {
  const seen = new Map<string, string>();
  return servers.flatMap((server) =>
    server.zones.flatMap((zone) => {
      const key = `${zone}. port ${server.port}${server.bind.length === 0 ? "" : ` at ${server.bind.join(" ")}`}`;
      const first = seen.get(key);
      seen.set(key, first ?? server.place);
      return first === undefined ? [] : [`${server.place}: ${key} is served by the block of ${first} already`];
    }),
  );
}
