import type { Verb } from "./verb.ts";

export { runProgram } from "./program.ts";
export type { Surroundings, Verb } from "./verb.ts";

/** loadVerbs gives all verbs, in the order of the help. */
export async function loadVerbs(): Promise<readonly Verb[]> {
  return (await import("./verbs.ts")).VERBS;
}
