import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { chartFiles } from "./chart-files.ts";

/** CHART is the chart's folder, as it is in the checkout. */
export const CHART = fileURLToPath(new URL("./meridian", import.meta.url));

// `make helm` runs this file.
if (import.meta.main) {
  const files = await chartFiles();
  for (const [path, text] of files) {
    mkdirSync(dirname(join(CHART, path)), { recursive: true });
    writeFileSync(join(CHART, path), text);
  }
  process.stdout.write(`${CHART}: ${files.size} files\n`);
}
