import type { Command } from "commander";
import { nearest } from "#values";
import { type Run, runVerb } from "./run-verb.ts";
import { type ExitCode, isCalled, refuse, type Verb } from "./verb.ts";
import { bareCommand, verbCommand } from "./verb-command.ts";
import { VERBS } from "./verbs.ts";

/** rootCommand is the whole program as one command, with every verb below it. */
export function rootCommand(run: Run): Command {
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

function call(verb: Verb, command: Command, run: Run): Promise<ExitCode> {
  const typed = { words: command.args, options: command.opts<Record<string, unknown>>() };
  const others = verb.daemon === true ? [] : VERBS.flatMap(({ settings }) => settings);
  return runVerb(verb, typed, others, run);
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
