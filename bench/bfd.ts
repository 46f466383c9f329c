import { mustExec, type Place } from "#lab";
import { Talker } from "./talker.ts";

/** Where Debian's package frr has its daemons. */
export const BFDD = "/usr/lib/frr/bfdd";
const ZEBRA = "/usr/lib/frr/zebra";
/** In the place's own /run; the daemons give up root's rights and still must write there. */
const DIR = "/run/bfd";
const USER = ["-u", "frr", "-g", "frr"] as const;
const SOCKETS = ["-z", `${DIR}/zserv.api`, "--vty_socket", DIR, "-P", "0"] as const;

/** BfdSession is a neighbour that FRR's bfdd watches: 50 ms, three misses. */
export interface BfdSession {
  readonly local: string;
  readonly peer: string;
}

/** startBfd starts zebra, which tells bfdd of the interfaces, and bfdd with its sessions. Each change of one is a line:
 *  `peer:ADDRESS … up -> down`. */
export async function startBfd(place: Place, sessions: readonly BfdSession[]): Promise<Talker> {
  await mustExec(place, ["mkdir", "-m", "777", DIR]);
  await mustExec(place, ["tee", `${DIR}/bfdd.conf`], { stdin: configOf(sessions) });
  await mustExec(place, ["tee", `${DIR}/zebra.conf`], { stdin: "log stdout\n" });
  new Talker(place, [ZEBRA, ...USER, "-f", `${DIR}/zebra.conf`, "-i", `${DIR}/zebra.pid`, ...SOCKETS]);
  await mustExec(place, ["sh", "-c", `while [ ! -S ${DIR}/zserv.api ]; do sleep 0.05; done`]);
  const own = ["-f", `${DIR}/bfdd.conf`, "-i", `${DIR}/bfdd.pid`, "--bfdctl", `${DIR}/bfdd.sock`];
  return new Talker(place, [BFDD, ...USER, ...own, ...SOCKETS]);
}

function configOf(sessions: readonly BfdSession[]): string {
  const peers = sessions.flatMap(({ local, peer }) => [
    ` peer ${peer} local-address ${local}`,
    "  detect-multiplier 3",
    "  receive-interval 50",
    "  transmit-interval 50",
    " !",
  ]);
  return ["log stdout debugging", "debug bfd peer", "bfd", ...peers, "!", ""].join("\n");
}

/** isBfd reports whether a line says that a session changed to a state. */
export function isBfd(line: string, state: "up" | "down"): boolean {
  return new RegExp(`-> ${state}\\b`).test(line);
}
