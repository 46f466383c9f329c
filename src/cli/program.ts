import { isAbort } from "#life";
import { dnsVerb } from "./dns-verb.ts";
import { quickArgv } from "./quick-argv.ts";
import { type Run, runVerb } from "./run-verb.ts";
import { type ExitCode, fail, type Surroundings } from "./verb.ts";

/** runProgram finds the verb in argv (without node and script), runs it, and gives the exit code. It does not throw:
 *  a bug of ours is told with its stack, and is exit code 1. */
export async function runProgram(
  argv: readonly string[],
  around: Surroundings,
  signal: AbortSignal,
): Promise<ExitCode> {
  let code: ExitCode = 0;
  const run: Run = {
    around,
    signal,
    finish: (done) => {
      code = done;
    },
  };
  try {
    await start(argv, run);
    return code;
  } catch (error) {
    if (isUsage(error)) return error.exitCode === 0 ? 0 : 2;
    if (signal.aborted && isAbort(error)) return fail(around, "stopped by a signal before it was done");
    return fail(around, `a fault of the program itself: ${error instanceof Error ? error.stack : String(error)}`);
  }
}

/** start reads a plain call of `dns` without the command library and the other verbs: to load those takes as long as
 *  ten thousand names take. Everything else, help included, goes by way of them. */
async function start(argv: readonly string[], run: Run): Promise<void> {
  const typed = argv[0] === dnsVerb.name ? quickArgv(argv.slice(1), dnsVerb.settings) : null;
  if (typed !== null) return run.finish(await runVerb(dnsVerb, typed, [], run));
  const { rootCommand } = await import("./root-command.ts");
  await rootCommand(run).parseAsync([...argv], { from: "user" });
}

/** The command library ends by an error of its own, with a code: after help, too. */
function isUsage(error: unknown): error is { readonly exitCode: number } {
  return error instanceof Error && error.name === "CommanderError";
}
