import { mustExec, type Place } from "#lab";

/** TunnelWitness is what a member's packets must never change on another's gateway, sorted, line by line. */
export interface TunnelWitness {
  readonly allowed: readonly string[];
  readonly rules: readonly string[];
  readonly routes: readonly string[];
}

/** tunnelWitnessOf reads it from the kernel; counters are left out. */
export async function tunnelWitnessOf(gateway: Place): Promise<TunnelWitness> {
  const lines = async (...argv: string[]): Promise<readonly string[]> =>
    (await mustExec(gateway, argv))
      .split("\n")
      .map((line) => line.trimEnd())
      .sort();
  const [allowed, rules, routes, policies] = [
    await lines("wg", "show", "all", "allowed-ips"),
    await lines("nft", "-s", "list", "ruleset"),
    await lines("ip", "route", "show", "table", "all", "proto", "77"),
    await lines("ip", "rule", "show"),
  ];
  return { allowed, rules, routes: [...routes, ...policies] };
}

/** Stage is a place on a packet's way in: out of the tunnel, behind the guard, behind the node's guard (which comes
 *  after conntrack). */
export type Stage = keyof typeof PRIORITIES;
const PRIORITIES = { arrived: -400, guarded: -355, admitted: -180 } as const;

/** Arrivals counts packets out of tunnels by the UDP port that they come from, at each stage. */
export class Arrivals {
  readonly #place: Place;

  private constructor(place: Place) {
    this.#place = place;
  }

  static async watch(place: Place, ports: readonly number[]): Promise<Arrivals> {
    const stages = Object.entries(PRIORITIES);
    const counters = stages.flatMap(([stage]) => ports.map((port) => `counter ${stage}-${port} { }`));
    const chains = stages.flatMap(([stage, priority]) => [
      `chain ${stage} {`,
      `type filter hook prerouting priority ${priority}; policy accept;`,
      ...ports.map((port) => `iifname "mrd*" udp sport ${port} counter name "${stage}-${port}"`),
      "}",
    ]);
    const table = ["table ip arrivals {", ...counters, ...chains, "}", ""].join("\n");
    await mustExec(place, ["nft", "-f", "-"], { stdin: table });
    return new Arrivals(place);
  }

  async of(port: number): Promise<Readonly<Record<Stage, number>>> {
    const counters = await countersOf(this.#place, "arrivals");
    const at = (stage: Stage): number => counters[`${stage}-${port}`] ?? 0;
    return { arrived: at("arrived"), guarded: at("guarded"), admitted: at("admitted") };
  }
}

/** countersOf gives the packets of each named counter of a table. */
export async function countersOf(place: Place, table: string): Promise<Readonly<Record<string, number>>> {
  const listed = await mustExec(place, ["nft", "-j", "list", "counters", "table", "ip", table]);
  const { nftables } = JSON.parse(listed) as {
    readonly nftables: readonly { readonly counter?: { readonly name: string; readonly packets: number } }[];
  };
  return Object.fromEntries(
    nftables.flatMap(({ counter }) => (counter === undefined ? [] : [[counter.name, counter.packets]])),
  );
}

/** receivedOf is how many bytes a gateway's WireGuard has taken from a peer, whatever it then did with them. */
export async function receivedOf(gateway: Place, link: string, peer: string): Promise<number> {
  const rows = (await mustExec(gateway, ["wg", "show", link, "transfer"])).split("\n");
  return Number(rows.find((row) => row.startsWith(peer))?.split("\t")[1]);
}
