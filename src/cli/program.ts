import { type Command, CommanderError } from "commander";
import { isAbort } from "#life";
import { benchVerb } from "./bench-verb.ts";
import { brokerVerb } from "./broker-verb.ts";
import { diagnoseVerb } from "./diagnose-verb.ts";
import { explainVerb } from "./explain-verb.ts";
import { gatewayVerb } from "./gateway-verb.ts";
import { configFileOf, gather } from "./gather.ts";
import { inviteVerb } from "./invite-verb.ts";
import { ipamVerb } from "./ipam-verb.ts";
import { leaveVerb } from "./leave-verb.ts";
import { nearest } from "./nearest.ts";
import { readArgv } from "./read-argv.ts";
import { statusVerb } from "./status-verb.ts";
import { type ExitCode, fail, isCalled, refuse, type Surroundings, type Verb } from "./verb.ts";
import { bareCommand, verbCommand } from "./verb-command.ts";

export const VERBS: readonly Verb[] = [
  brokerVerb,
  gatewayVerb,
  inviteVerb,
  statusVerb,
  explainVerb,
  benchVerb,
  ipamVerb,
  leaveVerb,
  diagnoseVerb,
];

/** One invocation of the program. */
interface Run {
  readonly around: Surroundings;
  readonly signal: AbortSignal;
  readonly finish: (code: ExitCode) => void;
}

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
    await rootCommand(run).parseAsync([...argv], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (signal.aborted && isAbort(error)) return fail(around, "stopped by a signal before it was done");
    return fail(around, `a fault of the program itself: ${error instanceof Error ? error.stack : String(error)}`);
  }
}

function rootCommand(run: Run): Command {
  const root = bareCommand("meridian", run.around)
    .description("Joins Kubernetes clusters and plain hosts into one network of names.")
    .usage("<verb> [arguments] [flags]")
    .version(run.around.version, "--version", "print the version")
    .helpCommand("help [verb]", "show the help of a verb");
  for (const verb of VERBS) root.addCommand(commandOf(verb, run));
  return root.action(() => run.finish(noVerb(root, VERBS, run)));
}

function commandOf(verb: Verb, run: Run): Command {
  const command = verbCommand(verb, run.around);
  const { verbs } = verb;
  for (const sub of verbs ?? []) command.addCommand(commandOf(sub, run));
  if (isCalled(verb)) return command.action(async () => run.finish(await call(verb, command, run)));
  return command.action(() => run.finish(noVerb(command, verbs ?? [], run)));
}

async function call(verb: Verb, command: Command, { around, signal }: Run): Promise<ExitCode> {
  const typed = { words: command.args, options: command.opts<Record<string, unknown>>() };
  const { args, flags, faults } = readArgv(typed, verb.settings, verb.args ?? []);
  // A daemon's configuration says where its data are, so the verbs that ask it read the same file.
  const others = verb.daemon === true ? [] : VERBS.flatMap(({ settings }) => settings);
  const { env } = around;
  const configured = verb.settings.some(({ flag }) => flag === "config");
  const configFile = configured ? configFileOf({ flags, env }) : null;
  const given = gather(verb.settings, { flags, env, configFile, others });
  return verb.run({ args, given: { ...given, faults: [...faults, ...given.faults] }, around, signal });
}

/** noVerb says which verbs there are, where none of them was named. */
function noVerb(command: Command, verbs: readonly Verb[], { around }: Run): ExitCode {
  const names = verbs.map(({ name }) => name);
  const [word] = command.args;
  if (word === undefined) around.err(command.helpInformation());
  if (word === undefined) return refuse(around, [`${command.name()} needs a verb: ${names.join(", ")}`]);
  if (word.startsWith("-")) {
    return refuse(around, [`${word.replace(/=.*$/s, "")}: unknown flag here; flags stand after the verb`]);
  }
  const meant = nearest(word, names);
  const hint = meant === undefined ? `the verbs are ${names.join(", ")}` : `did you mean ${meant}?`;
  return refuse(around, [`${JSON.stringify(word)}: unknown verb; ${hint}`]);
}
