import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import process from "node:process";
import { runProgram } from "#cli";
import { notifyManager, systemClock } from "#life";

/** argv -> verb -> exit code. The only place that knows the process: its environment, signals and exit. */
const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};
const stop = new AbortController();

/** The first signal asks everything to stop; the second, or ten seconds, ends the process at once. */
function onSignal(signal: NodeJS.Signals): void {
  if (stop.signal.aborted) process.exit(signal === "SIGINT" ? 130 : 143);
  stop.abort();
  setTimeout(() => process.exit(1), 10_000).unref();
}
process.on("SIGINT", onSignal);
process.on("SIGTERM", onSignal);
process.stdout.on("error", () => process.exit(1)); // a closed pipe: nobody reads any more

const code = await runProgram(
  process.argv.slice(2),
  {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    terminal: process.stderr.isTTY === true,
    env: process.env,
    hostname: hostname(),
    version,
    clock: systemClock,
    random: Math.random,
    onReload: (listener) => {
      for (const signal of ["SIGUSR1", "SIGHUP"] as const) process.on(signal, listener);
    },
    notify: (state) => notifyManager(process.env["NOTIFY_SOCKET"], state),
  },
  stop.signal,
);
// A pipe takes a large answer in parts: the process ends when the last has gone.
process.stdout.write("", () => process.exit(code));
