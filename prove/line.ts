/** Proof is what a line of the promise was measured to be. */
export interface Proof {
  /** The figures, on one line. */
  readonly measured: string;
  readonly holds: boolean;
  /** What stands under the table: stages, parts, reasons. */
  readonly details: readonly string[];
}

/** Line is one line of what the program has to show. */
export interface Line {
  readonly title: string;
  /** What is required, with its figures. */
  readonly required: string;
  /** run measures. `say` hears of progress; aborting the signal takes down what was built. It throws only when the
   *  measurement itself could not be made. */
  run(say: (text: string) => void, signal: AbortSignal): Promise<Proof>;
}
