import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { runProgram, type Surroundings } from "#cli";
import { mintToken } from "#identity";
import { systemClock } from "#life";
import { parseFingerprint, expect as right } from "#values";

/** Said is what a call of the program left: its exit code and what it wrote. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Around {
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly terminal?: boolean;
  /** Hears of each piece of stderr as it comes. */
  readonly onErr?: (text: string) => void;
}

/** meridian runs the program in this process, and keeps what it says. */
export async function meridian(argv: readonly string[], around: Around = {}): Promise<Said> {
  const { env = {}, signal = new AbortController().signal, terminal = false, onErr = () => {} } = around;
  let [out, err] = ["", ""];
  const surroundings: Surroundings = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
      onErr(text);
    },
    terminal,
    env: { PATH: "/usr/bin:/bin", ...env },
    hostname: "Test-Host",
    version: "1.2.3",
    clock: systemClock,
    random: () => 0.5,
    onReload: () => {},
    notify: () => {},
  };
  const code = await runProgram(argv, surroundings, signal);
  return { code, out, err };
}

/** faultLines are the lines of stderr, each of which the program must have begun with its own name. */
export function faultLines({ err }: Said): readonly string[] {
  return err
    .split("\n")
    .slice(0, -1)
    .map((line) => (line.startsWith("meridian: ") ? line.slice("meridian: ".length) : `no fault line: ${line}`));
}

/** isFree reports whether a TCP port of the loopback can be had. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const free = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => resolve(true));
  });
  if (free) await new Promise((resolve) => server.close(resolve));
  return free;
}

/** folder makes a temporary folder; the second value removes it. */
export function folder(): readonly [path: string, remove: () => void] {
  const path = mkdtempSync(join(tmpdir(), "meridian-cli-"));
  return [path, () => rmSync(path, { recursive: true, force: true })];
}

/** goodToken is a token that is well made; nobody answers at its URL. */
export function goodToken(): string {
  const fingerprint = right(parseFingerprint(`sha256:${"0".repeat(64)}`));
  return mintToken({ url: "wss://127.0.0.1:9", fingerprint }).token.reveal();
}

/** refusedIn makes a call that must be refused, and gives its faults: exit code 2, nothing on stdout, nothing made in
 *  the folder, the port not bound. */
export async function refusedIn(
  dir: string,
  port: number,
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  const tree = (): readonly string[] => (readdirSync(dir, { recursive: true }) as string[]).sort();
  const before = tree();
  const said = await meridian(argv, { env });
  expect({ code: said.code, out: said.out }).toEqual({ code: 2, out: "" });
  expect(tree()).toEqual(before);
  expect(await isFree(port)).toBe(true);
  return faultLines(said);
}
