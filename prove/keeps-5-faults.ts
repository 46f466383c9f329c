import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { countFaults } from "../test/faults/row-count.ts";
import { ADVISORIES, FAULTS } from "../test/faults/rows.ts";
import type { Line, Proof } from "./line.ts";
import { type Part, runTests } from "./run-tests.ts";

/** The harness, the hostile parts, and what rooms show of a row by themselves. */
const RUNS = [
  ["unit", ["test/faults", "test/hostile"]],
  ["unit", ["src/sync", "src/broker", "src/store", "src/wire/signature", "src/identity/broker-keys", "src/admin/a"]],
  ["unit", ["src/admin/limits"]],
  ["host", ["test/faults", "test/hostile", "test/host/member-verdict", "src/store", "src/tunnel/tunnels"]],
  ["long", ["test/faults", "src/dns/fuzz"]],
] as const;

/** keepsFaults: every fault of the harness, short and long, everything that hostile parts do, and that each row is shown. */
export const keepsFaults: Line = {
  title: "faults and hostile parts, every row",
  required: "each row of faults and advisories shown, with all invariants behind it; 0 failed",
  async run(say, signal) {
    const folder = await mkdtemp(join(tmpdir(), "meridian-faults-"));
    try {
      const parts: Part[] = [];
      for (const [project, tests] of RUNS) {
        say(`running ${tests.join(", ")} (${project})`);
        parts.push(await runTests(project, tests, join(folder, `${parts.length}.json`), signal));
      }
      return judge(parts);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

function judge(parts: readonly Part[]): Proof {
  const { line, missing } = countFaults(
    FAULTS,
    ADVISORIES,
    parts.flatMap(({ outcomes }) => outcomes),
  );
  const counts = parts.map(({ name, passed, failed }) => `${name}: ${passed} passed, ${failed.length} failed`);
  return {
    measured: [line, ...counts].join("; "),
    holds: missing.length === 0 && parts.every(({ passed, failed }) => passed > 0 && failed.length === 0),
    details: [
      ...missing.map((id) => `WITHOUT A TEST ${id}`),
      ...parts.flatMap(({ failed }) => failed.map((name) => `FAILED ${name}`)),
    ],
  };
}
