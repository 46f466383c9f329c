import { type Cidr, contains, err, type Ip, type Result } from "#values";
import { type Answer, askUdp, getOnce, ping, resolve } from "../ask.ts";
import { eventually } from "../eventually.ts";
import type { Place } from "../place.ts";
import { POD_UDP_PORT } from "../pod.ts";
import { demand, take } from "./demand.ts";

/** Reach is who asks for what, and what has to come of it. */
export interface Reach {
  readonly from: Place;
  /** Name that is asked for by the place's own resolver. */
  readonly name: string;
  /** What the name has to mean there. */
  readonly addresses: readonly Ip[];
  readonly server: { readonly hostname: string; readonly cluster: string };
  /** Networks in which the source address that the server sees has to lie. */
  readonly seenAs: Cidr;
  /** HTTP port; 80 unless told. */
  readonly port?: number;
}

/** checkName waits until a name means what it has to, and gives the addresses. */
export async function checkName({
  from,
  name,
  addresses,
}: Pick<Reach, "from" | "name" | "addresses">): Promise<readonly Ip[]> {
  const wanted = addresses.toSorted().join(" ");
  const ask = async (): Promise<Result<readonly Ip[]>> => {
    const got = await resolve(from, name);
    if (!got.ok || got.value.join(" ") === wanted) return got;
    return err(`${name} means ${got.value.join(" ")} in ${from.name}, not ${wanted}`);
  };
  return take(await eventually(ask));
}

/** checkPage: the name means the right addresses, and *the first connection after that* gives the right server's page,
 *  which shows the right client. */
export async function checkPage(reach: Reach): Promise<Answer> {
  await checkName(reach);
  return checkAnswer(reach, take(await getOnce(reach.from, urlOf(reach))), "page");
}

/** checkPlainPage is checkPage for a ClusterIP instead of a name: what every cluster could do before. */
export async function checkPlainPage(reach: Omit<Reach, "name" | "addresses">, clusterIp: Ip): Promise<Answer> {
  const plain: Reach = { ...reach, name: clusterIp, addresses: [clusterIp] };
  return checkAnswer(plain, take(await getOnce(reach.from, urlOf(plain))), "ClusterIP");
}

/** checkUdp: a datagram to the name is answered by the right server, which saw the right client. */
export async function checkUdp(reach: Reach): Promise<Answer> {
  const text = "a datagram";
  const answer = take(await askUdp(reach.from, reach.name, POD_UDP_PORT, text));
  demand(answer.body.includes(`text: ${text}`), `udp: ${reach.name} sends the text back`);
  return checkAnswer(reach, answer, "udp");
}

/** checkPing: every echo request to the name is answered. Gives their number. */
export async function checkPing(from: Place, name: string, count = 3): Promise<number> {
  const answered = take(await ping(from, name, count));
  demand(answered === count, `ping: ${name} answers ${answered} of ${count} to ${from.name}`);
  return answered;
}

function checkAnswer({ from, server, addresses, seenAs }: Reach, answer: Answer, what: string): Answer {
  const who = `${answer.pod} of ${answer.cluster}`;
  demand(addresses.includes(answer.address), `${what}: ${from.name} went to ${answer.address}`);
  const right = answer.pod === server.hostname && answer.cluster === server.cluster;
  demand(right, `${what}: ${server.hostname} of ${server.cluster} answers ${from.name}, not ${who}`);
  demand(contains(seenAs, answer.client), `${what}: ${who} sees ${from.name} as ${seenAs}, not as ${answer.client}`);
  return answer;
}

function urlOf({ name, port = 80 }: Reach): string {
  return `http://${name}:${port}/`;
}
