import { parseArgs } from "node:util";
import { differences } from "./differential.ts";

const HELP = `dns-differential: asks a responder on loopback generated queries over a generated zone, and holds every reply against
an oracle made from the specifications.

  node test/dns-differential/main.ts [--queries 100000] [--services 2000] [--seed 1] [--mode ffi|dgram]
`;

/** main gives the exit code: 1 where a reply differs. */
async function main(args: readonly string[]): Promise<number> {
  const text = (value: string) => ({ type: "string", default: value }) as const;
  const options = { queries: text("100000"), services: text("2000"), seed: text("1"), mode: text("ffi") };
  const { values } = parseArgs({ args: [...args], options: { ...options, help: { type: "boolean", default: false } } });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const mode = values.mode === "dgram" ? "dgram" : "ffi";
  const [seed, services, queries] = [values.seed, values.services, values.queries].map(Number);
  const found = await differences({ seed: seed ?? 1, services: services ?? 0, queries: queries ?? 0, mode });
  process.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`);
  return found.wrong.length === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
