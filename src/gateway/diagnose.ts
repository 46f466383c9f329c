import { runCommand } from "#life";
import { underlayMtu } from "#tunnel";
import { siblingsOf } from "./siblings.ts";
import type { Gateway } from "./state.ts";
import { modesNow } from "./view.ts";

/** Check is one row of `meridian diagnose`. */
export interface Check {
  readonly check: string;
  readonly verdict: "pass" | "warn" | "fail" | "skip";
  readonly reason: string;
  readonly remedy: string | null;
}

/** diagnose runs every check; none changes anything. */
export async function diagnose(gateway: Gateway): Promise<readonly Check[]> {
  const network =
    gateway.plane === null
      ? [skip("data plane", "--data-plane none")]
      : [...tunnelChecks(gateway), ...siblingChecks(gateway), await forwardCheck(gateway), await mtuCheck(gateway)];
  const modes = modeChecks(gateway);
  return [
    brokerCheck(gateway),
    nameCheck(gateway),
    ...network,
    ...modes,
    loopCheck(gateway),
    ...troubleChecks(gateway),
  ];
}

function pass(check: string, reason: string): Check {
  return { check, verdict: "pass", reason, remedy: null };
}

function skip(check: string, reason: string): Check {
  return { check, verdict: "skip", reason, remedy: null };
}

function brokerCheck({ session }: Gateway): Check {
  if (session.state === "live") return pass("broker", `connected to ${session.url}`);
  const remedy = `check that ${session.url ?? "the broker"} can be reached over TCP from here; meanwhile what was last known keeps serving`;
  return { check: "broker", verdict: "warn", reason: "not connected", remedy };
}

function nameCheck({ responder, follower }: Gateway): Check {
  if (responder.bound.length === 0)
    return {
      check: "names",
      verdict: "fail",
      reason: "nothing listens",
      remedy: "see the troubles for the address that could not be had",
    };
  return follower.synced
    ? pass(
        "names",
        `${responder.stats().zone.services} services answered on ${responder.bound.map(({ host, port }) => `${host}:${port}`).join(", ")}`,
      )
    : { check: "names", verdict: "fail", reason: "no catalogue was ever received", remedy: "reach the broker once" };
}

function tunnelChecks({ prober }: Gateway): readonly Check[] {
  const reports = prober.reports();
  if (reports.length === 0) return [skip("tunnels", "there is no other member yet")];
  return reports.map(({ id, up, rttSeconds }) =>
    up
      ? pass(`tunnel ${id}`, `up, ${((rttSeconds ?? 0) * 1000).toFixed(2)} ms`)
      : {
          check: `tunnel ${id}`,
          verdict: "fail" as const,
          reason: "no probe comes back",
          remedy:
            "open the UDP ports --listen-port to +7 on both sides, and give --endpoint where an address is translated",
        },
  );
}

/** Where direct mode was asked for, each pair has it or a reason. */
function modeChecks(gateway: Gateway): readonly Check[] {
  if (gateway.options.globalnet) return [];
  return [...modesNow(gateway)].map(([cluster, mode]): Check => {
    const check = `mode ${cluster}`;
    if (mode.kind === "direct") return pass(check, "direct: its pods by their own addresses");
    const remedy = "nothing has to be done: towards it addresses are translated, as without --globalnet off";
    return { check, verdict: "warn", reason: `globalnet: ${mode.why ?? "its mode is not known yet"}`, remedy };
  });
}

/** A sibling carries what our own tunnels cannot, if it is next to us and answers. */
function siblingChecks({ follower, options, session, prober }: Gateway): readonly Check[] {
  const own = { catalogue: follower.catalogue, own: options.cluster, gateway: options.name };
  const neighbours = session.machine?.neighbours ?? new Map();
  const next = new Map(siblingsOf({ ...own, neighbours, isUp: (id) => prober.isUp(id) }).map((s) => [s.name, s]));
  const others = [...(follower.catalogue.members.get(options.cluster)?.gateways.values() ?? [])];
  return others.flatMap(({ body: { name, draining } }): Check[] => {
    if (name === options.name) return [];
    const check = `sibling ${name}`;
    if (next.get(name)?.up) return [pass(check, "answers, and can take flows over")];
    if (draining === true) return [{ check, verdict: "warn", reason: "drains", remedy: "start it again" }];
    return [
      next.has(name)
        ? { check, verdict: "warn", reason: "no probe comes back", remedy: "see whether its host and daemon run" }
        : {
            check,
            verdict: "warn",
            reason: "is not on a link of this host, so neither can hand flows to the other",
            remedy: "put gateways of one cluster into one network segment; their own tunnels carry on without",
          },
    ];
  });
}

/** A FORWARD chain of Docker, ufw or firewalld that drops by default needs accepts for pods, for the supernet, and for
 *  pods that are reached by their own addresses. */
async function forwardCheck({ session, options, reconciler }: Gateway): Promise<Check> {
  // Chains first, then only the tables that matter: our own may hold ten thousand services.
  const listed = await runCommand(["nft", "-j", "list", "chains"]);
  if (!listed.ok) return skip("forwarding", "nft cannot be asked");
  const { nftables } = JSON.parse(listed.value) as { nftables: readonly { chain?: NftChain }[] };
  const dropping = nftables.flatMap(({ chain }) =>
    chain?.hook === "forward" && chain.policy === "drop" ? [chain] : [],
  );
  const networks: readonly string[] = [
    session.supernets[0] ?? "242.0.0.0/8",
    ...(reconciler.network?.tunnels.direct ?? []),
  ];
  let first: NftChain | undefined;
  for (const chain of dropping) {
    const table = await runCommand(["nft", "list", "table", chain.family, chain.table]);
    const isNamed = (network: string): boolean => table.ok && table.value.includes(network.split("/")[0] ?? network);
    if (table.ok && !networks.every(isNamed)) first ??= chain;
  }
  if (first === undefined) return pass("forwarding", "no FORWARD chain drops what we forward");
  const all = [...options.podCidrs, ...networks].join(", ");
  const docker = `iptables -I DOCKER-USER -s ${networks.join(",")} -j ACCEPT and -d likewise`;
  const remedy = `accept ${all} there: for Docker, ${docker}`;
  return {
    check: "forwarding",
    verdict: "fail",
    reason: `chain ${first.name} of table ${first.family} ${first.table} drops by default`,
    remedy,
  };
}

interface NftChain {
  readonly name: string;
  readonly table: string;
  readonly family: string;
  readonly hook?: string;
  readonly policy?: string;
}

async function mtuCheck({ follower, options, session }: Gateway): Promise<Check> {
  const hosts = follower.catalogue
    .live()
    .flatMap((member) =>
      member.cluster === options.cluster
        ? []
        : [...member.gateways.values()].flatMap(({ body }) => body.endpoints[0]?.host ?? []),
    );
  const [peer] = hosts;
  if (peer === undefined || session.machine === null) return skip("mtu", "there is no other member yet");
  const mtu = await underlayMtu(peer);
  if (!mtu.ok)
    return {
      check: "mtu",
      verdict: "fail",
      reason: mtu.error,
      remedy: "give this host a route to the peers' endpoints",
    };
  if (mtu.value < 1340)
    return {
      check: "mtu",
      verdict: "warn",
      reason: `the underlay carries only ${mtu.value} bytes`,
      remedy: "raise the MTU of the links between the gateways",
    };
  return pass("mtu", `underlay ${mtu.value}, tunnels ${session.machine.mtu}`);
}

function loopCheck({ loop }: Gateway): Check {
  const max = loop.maxSeconds();
  if (max < 0.1) return pass("event loop", `at most ${(max * 1000).toFixed(0)} ms late`);
  return {
    check: "event loop",
    verdict: "warn",
    reason: `was ${(max * 1000).toFixed(0)} ms late once`,
    remedy: "give the daemon more of a core",
  };
}

function troubleChecks({ troubles }: Gateway): readonly Check[] {
  return troubles.list().map(({ code, severity, title, subject, detail }) => ({
    check: `trouble ${code}`,
    verdict: severity === "critical" ? ("fail" as const) : ("warn" as const),
    reason: `${title}${subject === "" ? "" : `: ${subject}`}`,
    remedy: detail,
  }));
}
