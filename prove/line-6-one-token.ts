import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseToken } from "#identity";
import {
  createUnderlay,
  endOf,
  exec,
  invite,
  linesOf,
  type Place,
  type Run,
  spawnIn,
  startBroker,
  waitForLine,
} from "#lab";
import { expect } from "#values";
import { inRun, stampMs } from "../bench/index.ts";
import type { Line, Proof } from "./line.ts";
import type { RedeemAsk, Redeemed } from "./redeem-many.ts";

const TIMES = 200;
const REDEEMER = fileURLToPath(new URL("./redeem-many.ts", import.meta.url));

/** line6: 200 clusters with keys of their own join with one token at the same moment; then everything the broker has
 *  written is searched for the token and its secret, as text and as octets. */
export const line6: Line = {
  title: "one token, redeemed by 200 at once",
  required: "one success of 200, 0 traces of the token in store, logs and audit",
  run: (say, signal) => inRun((run) => proveOneToken(run, TIMES, say), signal),
};

async function proveOneToken(run: Run, times: number, say: (text: string) => void): Promise<Proof> {
  const underlay = await createUnderlay(run);
  const broker = await startBroker(underlay, ["--log-level", "debug"]);
  const token = await invite(broker);
  const tokenFile = join(run.folder, "etc", "token");
  await writeFile(tokenFile, token, { mode: 0o600 });
  say(`redeeming it ${times} times`);
  const ask = join(run.folder, "etc", "redeem.json");
  await writeFile(ask, JSON.stringify({ tokenFile, times } satisfies RedeemAsk));
  const startMs = stampMs();
  const job = await spawnIn(underlay, "redeem", [process.execPath, REDEEMER, ask]);
  const redeemed = JSON.parse(await waitForLine(job, (line) => line.startsWith("{"), 90_000)) as Redeemed;
  await endOf(job);
  const spanMs = stampMs() - startMs;
  const audit = await readAudit(underlay, broker.data);
  const traces = await findTraces(token, [broker.data, join(run.folder, "log")], audit);
  const refusals = Object.entries(redeemed.refused).map(([code, count]) => `${count} ${code}`);
  return {
    measured: `${redeemed.admitted} of ${times} admitted, ${traces.length} traces`,
    holds: redeemed.admitted === 1 && traces.length === 0 && audit.entries > 0,
    details: [
      `in ${(spanMs / 1000).toFixed(1)} s; refused: ${refusals.join(", ")}`,
      `audit: ${audit.entries} entries read by the API; ${(await linesOf(broker.job)).length} lines of log`,
      ...traces,
    ],
  };
}

interface Audit {
  readonly text: string;
  readonly entries: number;
}

/** The audit log as the admin API gives it, which is how anybody would read it. */
async function readAudit(underlay: Place, data: string): Promise<Audit> {
  const token = (await readFile(join(data, "admin.token"), "utf8")).trim();
  const script = `const r = await fetch("http://127.0.0.1:9090/v1/audit?since=0&limit=1000", { headers: { authorization: "Bearer ${token}" } }); console.log(r.status, await r.text());`;
  const said = await exec(underlay, [process.execPath, "--input-type=module", "-e", script]);
  const text = said.ok ? said.value : said.error.stderr;
  return { text, entries: text.startsWith("200") ? text.split('"actor"').length - 1 : 0 };
}

/** findTraces searches every file of some folders, and the audit, for the token and for its secret. */
async function findTraces(token: string, folders: readonly string[], audit: Audit): Promise<readonly string[]> {
  const secret = expect(parseToken(token)).secret.reveal();
  const needles = [Buffer.from(token), Buffer.from(secret), Buffer.from(secret, "base64url")];
  const names = ["the token", "its secret", "its secret as octets"];
  const hits = (where: string, bytes: Buffer): readonly string[] =>
    needles.flatMap((needle, i) => (bytes.includes(needle) ? [`${where} holds ${names[i]}`] : []));
  const found = [...hits("the audit log", Buffer.from(audit.text))];
  for (const folder of folders) {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) found.push(...hits(entry.name, await readFile(join(entry.parentPath, entry.name))));
    }
  }
  return found;
}
