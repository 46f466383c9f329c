import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { endpoint, headless, ip, virtual } from "../src/dns/example-services.ts";
import { live } from "../src/dns/live.ts";
import { message } from "../src/dns/testbed.ts";
import { DnsClient } from "./dns-clients.ts";
import { stopSignal } from "./in-run.ts";

const HELP = `soak-dns: the DNS responder under load for long, while its zone changes.

  node bench/soak-dns.ts [--queries 16777216] [--services 1000] [--changes 1000] [--mode ffi|dgram]

One client asks as fast as it is answered; so many changes a second go on meanwhile. It ends with 1 where a query got an error
or none, where memory grew by more than 20 MiB after the first million, or where p99.99 is above 5 ms.
`;

const Z = "clusterset.local";
const MIB = 1 << 20;
const CHURN_MS = 10;

interface Ask {
  readonly queries: number;
  readonly services: number;
  readonly changes: number;
  readonly mode: "ffi" | "dgram";
}

function readAsk(args: readonly string[]): Ask | undefined {
  try {
    const text = { type: "string" } as const;
    const options = { queries: text, services: text, changes: text, mode: text };
    const { values } = parseArgs({ args: [...args], options, strict: true });
    const { queries = 2 ** 24, services = 1000, changes = 1000, mode = "ffi" } = values;
    if (mode !== "ffi" && mode !== "dgram") return undefined;
    const ask = { queries: Number(queries), services: Number(services), changes: Number(changes), mode } as const;
    return [ask.queries, ask.services, ask.changes].every((n) => Number.isSafeInteger(n) && n > 0) ? ask : undefined;
  } catch {
    return undefined;
  }
}

/** service is the i-th service in its n-th state: addresses change, and headless ones grow and shrink. */
function service(i: number, n: number) {
  const name = `s${i}`;
  if (i % 4 !== 0) return virtual({ name, addresses: [ip(`10.${i >> 8}.${i & 255}.${n & 255}`)] });
  const pods = Array.from({ length: 1 + (n % 8) }, (_, pod) => endpoint(`p${pod}`, "a", [`10.200.${n & 255}.${pod}`]));
  return headless(pods, { name });
}

function questions(services: number): readonly Uint8Array[] {
  return Array.from({ length: services }, (_, i) => {
    const name = `s${i}.shop.svc.${Z}`;
    return message(i % 10 === 3 ? `_http._tcp.${name}` : name, i % 10 === 3 ? "SRV" : "A", { edns: {} });
  });
}

/** Memory after the first million is what all later figures are compared with. */
class Growth {
  #base: number | undefined;
  most = 0;

  sample(answered: number): void {
    const { rss } = process.memoryUsage();
    if (answered < 1_000_000) return;
    this.#base ??= rss;
    this.most = Math.max(this.most, rss - this.#base);
  }
}

async function soak(ask: Ask, signal: AbortSignal): Promise<number> {
  await using bed = await live({ mode: ask.mode });
  const all = Array.from({ length: ask.services }, (_, i) => ({ kind: "service", service: service(i, 0) }) as const);
  bed.responder.update([...all, { kind: "synced", synced: true }]);
  await bed.responder.applied();
  await using client = await DnsClient.start({ port: bed.at.port, messages: questions(ask.services), perSecond: 0 });
  const growth = new Growth();
  const began = performance.now();
  let changed = 0;
  let told = 0;
  while (client.count("sent") < ask.queries && !signal.aborted) {
    await sleep(CHURN_MS);
    const due = Math.floor(((performance.now() - began) * ask.changes) / 1000) - changed;
    const changes = Array.from({ length: due }, (_, k) => {
      const n = changed + k;
      return { kind: "service", service: service(n % ask.services, n) } as const;
    });
    bed.responder.update(changes);
    changed += due;
    growth.sample(client.count("answered"));
    if (client.count("sent") - told < 1_000_000) continue;
    told = client.count("sent");
    process.stderr.write(`  ${told} queries, ${changed} changes, rss +${(growth.most / MIB).toFixed(1)} MiB\n`);
  }
  return verdict(client, changed, growth.most, (performance.now() - began) / 1000);
}

function verdict(client: DnsClient, changed: number, grown: number, seconds: number): number {
  const [sent, answered, failed, lost] = [
    client.count("sent"),
    client.count("answered"),
    client.count("failed"),
    client.count("lost"),
  ];
  const p9999 = client.percentileMs(0.9999);
  process.stdout.write(
    [
      `${sent} queries in ${seconds.toFixed(0)} s (${Math.round(sent / seconds)}/s), ${changed} changes`,
      `  answered ${answered}, with an error ${failed}, without a reply ${lost}`,
      `  memory grew by ${(grown / MIB).toFixed(1)} MiB after the first million (at most 20)`,
      `  p50 ${client.percentileMs(0.5)} ms, p99 ${client.percentileMs(0.99)} ms, p99.9 ${client.percentileMs(0.999)} ms, p99.99 ${p9999} ms (at most 5)`,
      "",
    ].join("\n"),
  );
  return failed === 0 && lost === 0 && grown <= 20 * MIB && p9999 <= 5 ? 0 : 1;
}

const ask = readAsk(process.argv.slice(2));
if (ask === undefined) process.stderr.write(HELP);
process.exitCode = ask === undefined ? 2 : await soak(ask, stopSignal());
