import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** SourceFile is one file of the house, by its path from the root. */
export interface SourceFile {
  readonly path: string;
  /** First folder below src/; empty for src/main.ts and for what is not in src/. */
  readonly room: string;
  readonly isTest: boolean;
  readonly text: string;
}

/** Tests, and what only they use: fakes, examples, contracts that run against both. */
const TEST = /\.(test|host|kube|nodes|long)\.ts$|(^|\/)(testbed|fake-|example-)[^/]*\.ts$|-contract\.ts$/;

/** sourceFiles reads every TypeScript file below some folders. */
export function sourceFiles(...folders: readonly string[]): readonly SourceFile[] {
  return folders
    .flatMap((folder) => filesBelow(join(ROOT, folder)))
    .map((file) => {
      const path = relative(ROOT, file);
      const room = /^src\/([^/]+)\//.exec(path)?.[1] ?? "";
      return { path, room, isTest: TEST.test(path), text: readFileSync(file, "utf8") };
    });
}

function filesBelow(folder: string): readonly string[] {
  let entries: readonly import("node:fs").Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return entry.name.endsWith(".ts") ? [path] : [];
  });
}

/** importsOf lists the specifiers that a file imports or re-exports, workers' URLs included. */
export function importsOf(text: string): readonly string[] {
  const found = text.matchAll(
    /^(?:import|export|\}).*?\bfrom "([^"]+)"|\bimport\("([^"]+)"\)|new URL\("(\.[^"]+\.ts)"/gm,
  );
  return [...found].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
}
