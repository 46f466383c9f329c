import { type CommandFault, runCommand } from "#life";
import { type Ip, ok, type Result } from "#values";
import type { Step } from "./plan.ts";

/** Flow is what connection tracking remembers of clients of one UDP service that were sent to one endpoint. */
export interface Flow {
  readonly service: { readonly address: Ip; readonly port: number };
  readonly endpoint: { readonly address: Ip; readonly port: number };
}

/** Conntrack is the kernel's table of connections, as far as this room needs it. */
export interface Conntrack {
  /** forget removes a flow; that there was none is no fault. */
  forget(flow: Flow, signal?: AbortSignal): Promise<Result<void, CommandFault>>;
}

/** systemConntrack runs the program `conntrack`, if a host has it. */
export function systemConntrack(prefix: readonly string[] = []): Conntrack {
  return {
    async forget({ service, endpoint }, signal) {
      const original = ["--orig-dst", service.address, "--orig-port-dst", String(service.port)];
      const reply = ["--reply-src", endpoint.address, "--reply-port-src", String(endpoint.port)];
      const argv = [...prefix, "conntrack", "-D", "-p", "udp", ...original, ...reply];
      const done = await runCommand(argv, signal === undefined ? {} : { signal });
      // Exit 1 is also "0 flow entries have been deleted".
      return done.ok || / 0 flow entries/.test(done.error.stderr) ? ok(undefined) : done;
    },
  };
}

/** removedFlows are those of endpoints that a step takes away: UDP has no end of a connection, so a client that goes on
 *  sending would stay with a removed endpoint for ever. */
export function removedFlows(step: Step): readonly Flow[] {
  if (step.kind !== "service" || !step.key.includes(" UDP ")) return [];
  // An endpoint with fewer buckets keeps its connections; one without a bucket loses them.
  const after = new Set(step.to?.buckets);
  const gone = new Set((step.from?.buckets ?? []).filter((endpoint) => endpoint !== undefined && !after.has(endpoint)));
  const [address = "", , port] = step.key.split(" ");
  return [...gone].map((endpoint = "") => {
    const [to = "", toPort] = endpoint.split(" . ");
    return {
      service: { address: address as Ip, port: Number(port) },
      endpoint: { address: to as Ip, port: Number(toPort) },
    };
  });
}
