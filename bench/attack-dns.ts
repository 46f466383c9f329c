import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { virtual } from "../src/dns/example-services.ts";
import { live } from "../src/dns/live.ts";
import { message, octets16 } from "../src/dns/testbed.ts";
import { DnsClient } from "./dns-clients.ts";
import { median, spread } from "./stats.ts";

const HELP = `attack-dns: what good clients get while count bombs and pointer loops come in.

  node bench/attack-dns.ts [--per-second 20000] [--pairs 12] [--seconds 1.5] [--mode ffi|dgram]

Clean and attacked spans by turns; ratios of neighbours. It ends with 1 where the median ratio is below 0.9.
`;

const Z = "clusterset.local";
const BOMBS: readonly Uint8Array[] = [
  octets16(1, 0, 0xffff, 0xffff, 0xffff, 0xffff),
  message(Z, 1, { counts: [1, 0xffff, 0xffff, 0xffff] }),
  message(Uint8Array.of(0xc0, 12), 1),
  message(Uint8Array.of(1, 97, 0xc0, 0x10, 0xc0, 0x0c), 1),
  message(new Uint8Array(600).fill(0xc0), 1),
  message(new Uint8Array(600).fill(1), 1),
  message(Z, 1, { edns: { options: new Uint8Array(1000) } }),
];

interface Ask {
  readonly perSecond: number;
  readonly pairs: number;
  readonly seconds: number;
  readonly mode: "ffi" | "dgram";
}

function readAsk(args: readonly string[]): Ask | undefined {
  try {
    const text = { type: "string" } as const;
    const options = { "per-second": text, pairs: text, seconds: text, mode: text };
    const { values } = parseArgs({ args: [...args], options, strict: true });
    const { "per-second": perSecond = 20_000, pairs = 12, seconds = 1.5, mode = "ffi" } = values;
    if (mode !== "ffi" && mode !== "dgram") return undefined;
    const ask = { perSecond: Number(perSecond), pairs: Number(pairs), seconds: Number(seconds), mode } as const;
    return [ask.perSecond, ask.pairs, ask.seconds].every((n) => n > 0) ? ask : undefined;
  } catch {
    return undefined;
  }
}

/** rate is how many answers a second the client gets over a span. */
async function rate(client: DnsClient, seconds: number): Promise<number> {
  const before = client.count("answered");
  const since = performance.now();
  await sleep(seconds * 1000);
  return ((client.count("answered") - before) * 1000) / (performance.now() - since);
}

async function attack({ perSecond, pairs, seconds, mode }: Ask): Promise<number> {
  await using bed = await live({ mode });
  bed.responder.update([
    { kind: "service", service: virtual() },
    { kind: "synced", synced: true },
  ]);
  await bed.responder.applied();
  const { port } = bed.at;
  await using good = await DnsClient.start({ port, messages: [message(`web.shop.svc.${Z}`, "A")], perSecond: 0 });
  await rate(good, 1);
  const clean: number[] = [];
  const attacked: number[] = [];
  const sent: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    clean.push(await rate(good, seconds));
    await using bomber = await DnsClient.start({ port, messages: BOMBS, perSecond });
    const before = bomber.count("sent");
    attacked.push(await rate(good, seconds));
    sent.push((bomber.count("sent") - before) / seconds);
  }
  const ratio = spread(clean.map((value, i) => (attacked[i] ?? 0) / value));
  process.stdout.write(
    [
      `${mode}: clean ${Math.round(median(clean))}/s, with ${Math.round(median(sent))} bombs/s ${Math.round(median(attacked))}/s`,
      `  ratio ${ratio.median.toFixed(3)} (${ratio.min.toFixed(3)} to ${ratio.max.toFixed(3)} of ${pairs} pairs; at least 0.9)`,
      `  good queries with an error ${good.count("failed")}, without a reply ${good.count("lost")}`,
      "",
    ].join("\n"),
  );
  return ratio.median >= 0.9 ? 0 : 1;
}

const ask = readAsk(process.argv.slice(2));
if (ask === undefined) process.stderr.write(HELP);
process.exitCode = ask === undefined ? 2 : await attack(ask);
