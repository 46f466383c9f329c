import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { dirname, resolve } from "node:path";
import { type CorefileText, readCorefile } from "#dns";
import { doorsOf, type NameserverPlan, serversOf } from "#nameserver";
import { err, type Ip, ok, parseIp, type Result } from "#values";

/** ReadPlan is a Corefile as it is now. */
export interface ReadPlan {
  readonly plan: NameserverPlan;
  /** How often it is looked at again; null: only when a signal says so. */
  readonly reload: { readonly intervalMs: number; readonly jitterMs: number } | null;
  readonly debug: boolean;
}

/** readPlan reads a Corefile from disk, with all that it imports. Errors are whole lines, with file and line. */
export function readPlan(
  file: string,
  env: Readonly<Record<string, string | undefined>>,
): Result<ReadPlan, readonly string[]> {
  const text = readFile(file);
  if (!text.ok) return err([`--conf ${file}: ${text.error}`]);
  const read: CorefileText[] = [text.value];
  const imported = (pattern: string, from: string): Result<readonly CorefileText[]> => {
    const files = importedFiles(pattern, from);
    if (files.ok) read.push(...files.value);
    return files;
  };
  const corefile = readCorefile(text.value, { env, imported });
  if (!corefile.ok) return corefile;
  const servers = serversOf(corefile.value, interfacesHere());
  if (!servers.ok) return servers;
  const { reload, debug } = corefile.value;
  return ok({ plan: { servers: servers.value, doors: doorsOf(corefile.value), hash: hashOf(read) }, reload, debug });
}

/** hashNow is the hash of a Corefile alone, without what it imports: enough to see that somebody has changed it. */
function hashOf(texts: readonly CorefileText[]): string {
  const hash = createHash("sha512");
  for (const { text } of texts) hash.update(text);
  return hash.digest("hex");
}

/** A pattern that matches nothing is no fault; a plain name is (Caddy's import). */
function importedFiles(pattern: string, from: string): Result<readonly CorefileText[]> {
  const path = resolve(dirname(from), pattern);
  if (!/[*?[\]{}]/.test(pattern)) {
    const one = readFile(path);
    return one.ok ? ok([one.value]) : one;
  }
  const texts: CorefileText[] = [];
  for (const file of globSync(path).toSorted()) {
    const one = readFile(file);
    if (!one.ok) return err(`${file}: ${one.error}`);
    texts.push(one.value);
  }
  return ok(texts);
}

function readFile(file: string): Result<CorefileText> {
  try {
    return ok({ file, text: readFileSync(file, "utf8") });
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    return err(missing ? "there is no such file" : `cannot be read: ${(error as Error).message}`);
  }
}

/** Addresses of this host by interface; link-local ones need a zone and are left out. */
function interfacesHere(): ReadonlyMap<string, readonly Ip[]> {
  const found = Object.entries(networkInterfaces()).map(([name, addresses = []]) => {
    const ips = addresses.flatMap(({ address, scopeid }) => {
      const ip = parseIp(address);
      return ip.ok && (scopeid ?? 0) === 0 ? [ip.value] : [];
    });
    return [name, ips] as const;
  });
  return new Map(found);
}
