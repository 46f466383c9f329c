export { runProgram, VERBS } from "./program.ts";
export type { Surroundings, Verb } from "./verb.ts";
