import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import {
  err,
  type HostPort,
  type Ip,
  type Millis,
  ok,
  parseDuration,
  parseHostPort,
  parseIp,
  type Result,
} from "#values";

/** Parsers of settings, beside those of values: each error is the rule and the value. They may look at the disk, and
 *  change nothing. */

export function port(value: string): Result<number> {
  return wholeNumber(1, 65_535)(value);
}

export function wholeNumber(least: number, most: number): (value: string) => Result<number> {
  return (value) => {
    const number = Number(value);
    const good = /^\d{1,12}$/.test(value) && number >= least && number <= most;
    return good ? ok(number) : err(`must be a whole number, ${least} to ${most}: ${quote(value)}`);
  };
}

/** span reads a duration between two others, which are given as a user would write them. */
export function span(least: string, most: string): (value: string) => Result<Millis> {
  return (value) => {
    const given = parseDuration(value);
    if (given === undefined) return err(`must be a duration, as 500ms, 15m or 24h: ${quote(value)}`);
    const inside = given >= (parseDuration(least) ?? 0) && given <= (parseDuration(most) ?? 0);
    return inside ? ok(given) : err(`must be ${least} to ${most}: ${quote(value)}`);
  };
}

export function oneOf<T extends string>(...choices: readonly T[]): (value: string) => Result<T> {
  return (value) => {
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return ok(found);
    const list = choices.length === 1 ? choices[0] : `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`;
    return err(`must be ${list}: ${quote(value)}`);
  };
}

/** httpUrl reads where an admin API is. A bearer token goes there, so in clear only over loopback. */
export function httpUrl(value: string): Result<string> {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const rule = "must be https://HOST:PORT, or http://127.0.0.1:PORT";
  if (url !== undefined && (url.username !== "" || url.password !== ""))
    return err(`${rule}, without user or password`);
  const form = url !== undefined && /^\/?$/.test(url.pathname) && url.search === "" && url.hash === "";
  if (!form || !/^https?:$/.test(url.protocol) || url.hostname === "") return err(`${rule}: ${quote(value)}`);
  const loopback = /^(127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/.test(url.hostname);
  if (url.protocol === "http:" && !loopback)
    return err(`the admin token would go there in clear; write https://${url.host}`);
  return ok(value.replace(/\/$/, ""));
}

/** listenAt is HOST:PORT to listen on: without a default port. */
export function listenAt(value: string): Result<HostPort> {
  return parseHostPort(value);
}

/** endpoint is where others send to: an address that they can reach, and a port if it is not ours. */
export function endpoint(value: string): Result<{ readonly host: Ip; readonly port: number | null }> {
  const bare = parseIp(value);
  const full = bare.ok ? ok({ host: bare.value, port: null }) : parseHostPort(value);
  if (!full.ok) return err(`must be IP or IP:PORT, as 192.0.2.1:51820: ${quote(value)}`);
  const { host, port: at } = full.value;
  if (host === "0.0.0.0" || host === "::")
    return err(`must be an address that other gateways can reach: ${quote(value)}`);
  return at === 0 ? err(`must have a port from 1 to 65535: ${quote(value)}`) : full;
}

/** path is a file or folder, made independent of the working directory. */
export function path(value: string): Result<string> {
  return value === "" || value.includes("\0") ? err("must not be empty") : ok(resolve(value));
}

/** folder is a path that is a folder or could become one. */
export function folder(value: string): Result<string> {
  const at = path(value);
  if (!at.ok) return at;
  let there = at.value;
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there);
  return statSync(there, { throwIfNoEntry: false })?.isDirectory() === false
    ? err(`is a file, not a folder: ${there}`)
    : at;
}

/** futureFile is a path of a file that may come later. */
export function futureFile(value: string): Result<string> {
  const at = path(value);
  if (!at.ok) return at;
  const isFolder = statSync(at.value, { throwIfNoEntry: false })?.isDirectory() === true;
  return isFolder ? err(`is a folder, not a file: ${at.value}`) : at;
}

/** file is a path of something that is there. */
export function file(value: string): Result<string> {
  const at = path(value);
  return !at.ok || existsSync(at.value) ? at : err(`there is no such file: ${at.value}`);
}

/** program is a path of something that can be run. */
export function program(value: string): Result<string> {
  const at = path(value);
  if (!at.ok) return at;
  try {
    if (!statSync(at.value).isFile()) return err(`is no program: ${at.value}`);
    accessSync(at.value, constants.X_OK);
    return at;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    return err(`${missing ? "there is no such file" : "cannot be run"}: ${at.value}`);
  }
}

/** Longest path that the address of a socket holds on Linux, without the zero at its end (unix(7)). */
const MAX_SOCKET_PATH = 107;

/** dataDir is the folder of a daemon: the verbs find it by a socket in there. */
export function dataDir(value: string): Result<string> {
  const at = folder(value);
  if (!at.ok) return at;
  const most = MAX_SOCKET_PATH - "/admin.sock".length;
  return Buffer.byteLength(join(at.value, "admin.sock")) <= MAX_SOCKET_PATH
    ? at
    : err(`must have at most ${most} bytes, since a socket is made in it: ${at.value}`);
}

function quote(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}
