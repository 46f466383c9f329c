import { Command } from "commander";
import { NO_VALUE } from "./read-argv.ts";
import type { Setting } from "./setting.ts";
import { isCalled, type Surroundings, type Verb } from "./verb.ts";

const SHORT: Readonly<Record<string, string>> = { output: "-o", file: "-f" };

/** bareCommand is a command that writes help and leaves every judgement to us: commander ends at the first fault. */
export function bareCommand(name: string, { out, err }: Surroundings): Command {
  return new Command(name)
    .exitOverride()
    .helpCommand(false)
    .enablePositionalOptions() // what stands behind a verb below belongs to that
    .helpOption("-h, --help", "show this help")
    .allowUnknownOption()
    .allowExcessArguments()
    .configureOutput({ writeOut: out, writeErr: err })
    .configureHelp({
      optionDescription: ({ description }) => description, // it names the default; what commander adds is our marks
      optionTerm: ({ flags }) => flags.replace("[", "<").replace("]", ">"),
      subcommandTerm: (command) => `${command.name()} ${command.usage()}`,
    });
}

/** verbCommand is a verb with its flags, arguments and help, but without anything to do. */
export function verbCommand(verb: Verb, around: Surroundings): Command {
  const command = bareCommand(verb.name, around).description(verb.summary);
  command.addHelpText("after", `\nExample:\n  ${verb.example}\n${settingsNote(verb.settings)}`);
  for (const { name, help } of verb.args ?? []) command.argument(`[${name}]`, help);
  const args = (verb.args ?? []).map(({ name }) => ` <${name}>`).join("");
  command.usage(isCalled(verb) ? `[flags]${args}` : "<verb>");
  for (const setting of verb.settings) addFlag(command, setting);
  return command;
}

/** Every value is optional to commander, and a list: so a flag without its value does not swallow the next flag, and
 *  a second value does not replace the first unseen. */
function addFlag(command: Command, { flag, value, help, fallback }: Setting): void {
  const short = SHORT[flag];
  const spelled = `${short === undefined ? "" : `${short}, `}--${flag}${value === null ? "" : ` [${value}]`}`;
  const text = fallback === undefined ? help : `${help} (default: ${fallback})`;
  const option = command.createOption(spelled, text);
  if (value !== null) {
    option.preset(NO_VALUE);
    option.argParser((item: string, all: readonly string[] | undefined) => [...(all ?? []), item]);
  }
  command.addOption(option);
}

function settingsNote(settings: readonly Setting[]): string {
  if (!settings.some(({ flag }) => flag === "config")) return "";
  return "\nEach setting may also come from the environment (--pod-cidr is MERIDIAN_POD_CIDR) or from --config\n(--pod-cidr is podCidr); a flag comes first, then the environment.\n";
}
