import { fuzzesFor } from "./testbed-fuzz-span.ts";

/** A minute of what fuzz.test.ts has some seconds of. */
fuzzesFor(20_000);
