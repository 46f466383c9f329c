import { type KeyObject, randomInt, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { brokerTls, createIdentityKey, type JoinToken, parseToken, signProof } from "#identity";
import { silentLog, systemClock } from "#life";
import { createSyncClient, fetchCa } from "#sync";
import { type ClusterId, expect, type NodeName, parseCidr, parseClusterId, parseNodeName, type Uid } from "#values";
import { identityKeyOf, type Login } from "#wire";

/** RedeemAsk is how often, and where the token is. */
export interface RedeemAsk {
  readonly tokenFile: string;
  readonly times: number;
}

/** Redeemed is how many were let in, and how many were refused by which code. */
export interface Redeemed {
  readonly admitted: number;
  readonly refused: Readonly<Record<string, number>>;
}

/** redeemMany joins as so many clusters at once, each with a key and a name of its own and the same token. */
async function redeemMany({ tokenFile, times }: RedeemAsk): Promise<Redeemed> {
  const token = expect(parseToken(readFileSync(tokenFile, "utf8").trim()));
  const signal = AbortSignal.timeout(60_000);
  const ca = expect(await fetchCa(token.url, token.fingerprint, { now: systemClock.now(), signal }));
  const outcomes = await Promise.all(Array.from({ length: times }, (_, i) => redeem(token, ca, i, signal)));
  const refused: Record<string, number> = {};
  for (const code of outcomes) if (code !== "admitted") refused[code] = (refused[code] ?? 0) + 1;
  return { admitted: outcomes.filter((code) => code === "admitted").length, refused };
}

/** redeem is one gateway without anything but its session. Gives `admitted`, the code of the refusal, or `silence`. */
function redeem(token: JoinToken, ca: string, index: number, timeout: AbortSignal): Promise<string> {
  const privateKey = createIdentityKey();
  const uid = randomUUID() as Uid;
  const cluster = expect(parseClusterId(`c${index}`));
  const gateway = expect(parseNodeName(`gateway-${index}`));
  const end = Promise.withResolvers<string>();
  const stop = new AbortController();
  const client = createSyncClient({
    urls: () => [token.url],
    tls: () => brokerTls(ca),
    version: "prove",
    clock: systemClock,
    random: () => randomInt(2 ** 32) / 2 ** 32,
    log: silentLog,
    login: (binding) => loginOf(token, { cluster, uid, gateway, privateKey }, binding),
    cursor: () => null,
    welcomed: () => end.resolve("admitted"),
    batch: async () => {},
    refused: ({ code }) => end.resolve(code),
    state: () => {},
  });
  timeout.addEventListener("abort", () => end.resolve("silence"), { once: true });
  const running = client.run(stop.signal);
  return end.promise.then(async (code) => {
    stop.abort();
    await running;
    return code;
  });
}

interface Who {
  readonly cluster: ClusterId;
  readonly uid: Uid;
  readonly gateway: NodeName;
  readonly privateKey: KeyObject;
}

function loginOf(token: JoinToken, who: Who, binding: { exporter: Uint8Array; nonce: Uint8Array }): Login {
  const { cluster, uid, gateway, privateKey } = who;
  return {
    ...{
      t: "login",
      cluster,
      uid,
      generation: 0,
      gateway,
      key: identityKeyOf(privateKey),
      tunnelKey: null,
      source: null,
    },
    join: { id: token.id, secret: token.secret.reveal() },
    network: {
      globalnet: true,
      pods: [{ cidr: expect(parseCidr("10.244.0.0/16")), wanted: null }],
      services: [expect(parseCidr("10.96.0.0/16"))],
      routes: [],
    },
    proof: signProof(privateKey, { ...binding, cluster, uid, gateway }),
  };
}

// Runs where the broker can be dialled: `redeem-many.ts ASK.json`.
if (import.meta.main) {
  const ask = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as RedeemAsk;
  process.stdout.write(`${JSON.stringify(await redeemMany(ask))}\n`);
}
