import { Command, CommanderError } from "commander";
import { benchVerb } from "./bench-verb.ts";
import { brokerVerb } from "./broker-verb.ts";
import { diagnoseVerb } from "./diagnose-verb.ts";
import { explainVerb } from "./explain-verb.ts";
import { gatewayVerb } from "./gateway-verb.ts";
import { inviteVerb } from "./invite-verb.ts";
import { ipamVerb } from "./ipam-verb.ts";
import { leaveVerb } from "./leave-verb.ts";
import { envName, gather, type Setting } from "./settings.ts";
import { statusVerb } from "./status-verb.ts";
import { type ExitCode, refuse, type Surroundings, type Verb } from "./verb.ts";

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

const SHORT: Readonly<Record<string, string>> = { output: "-o", file: "-f" };

/** runProgram finds the verb in argv (without node and script), runs it, and gives the exit code. */
export async function runProgram(
  argv: readonly string[],
  around: Surroundings,
  signal: AbortSignal,
): Promise<ExitCode> {
  let code: ExitCode = 0;
  const root = new Command("meridian");
  root
    .description("Joins Kubernetes clusters and plain hosts into one network of names.")
    .version(around.version, "--version", "print the version")
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => around.out(text),
      writeErr: (text) => around.err(text.replace(/^error: /, "meridian: ")),
    });
  const finish = (done: ExitCode): void => {
    code = done;
  };
  for (const verb of VERBS) root.addCommand(commandOf(verb, around, signal, finish));
  try {
    await root.parseAsync([...argv], { from: "user" });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  }
}

function commandOf(verb: Verb, around: Surroundings, signal: AbortSignal, finish: (code: ExitCode) => void): Command {
  const command = new Command(verb.name).description(verb.summary).exitOverride().helpCommand(false);
  command.configureOutput({
    writeOut: (text) => around.out(text),
    writeErr: (text) => around.err(text.replace(/^error: /, "meridian: ")),
  });
  command.addHelpText("after", `\nExample:\n  ${verb.example}\n${settingsNote(verb.settings)}`);
  for (const { name, help } of verb.args ?? []) command.argument(name, help);
  for (const setting of verb.settings) addOption(command, setting);
  for (const sub of verb.verbs ?? []) command.addCommand(commandOf(sub, around, signal, finish));
  if (verb.verbs !== undefined) return command;
  return command.allowExcessArguments(false).action(async () => {
    const flags = command.opts<Record<string, unknown>>();
    const configFile = typeof flags["config"] === "string" ? flags["config"] : (around.env[envName("config")] ?? null);
    const given = gather(verb.settings, { flags, env: around.env, configFile });
    finish(
      given.ok
        ? await verb.run({ args: command.args, given: given.value, around, signal })
        : refuse(around, given.error),
    );
  });
}

function addOption(command: Command, { flag, value, help, repeat, fallback }: Setting): void {
  const short = SHORT[flag];
  const spelled = `${short === undefined ? "" : `${short}, `}--${flag}${value === null ? "" : ` <${value}>`}`;
  const text = fallback === undefined ? help : `${help} (default: ${fallback})`;
  if (repeat === true)
    command.option(spelled, text, (item: string, all: string[] | undefined) => [...(all ?? []), item]);
  else command.option(spelled, text);
}

function settingsNote(settings: readonly Setting[]): string {
  if (!settings.some(({ flag }) => flag === "config")) return "";
  return "\nEach setting may also come from the environment (--pod-cidr is MERIDIAN_POD_CIDR) or from --config\n(--pod-cidr is podCidr); a flag comes first, then the environment.\n";
}
