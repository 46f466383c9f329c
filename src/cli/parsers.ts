import { err, type Millis, ok, parseDuration, type Result } from "#values";

/** Parsers of settings that are not addresses or names: each error is the rule and the value. */

export function text(value: string): Result<string> {
  return value === "" ? err("must not be empty") : ok(value);
}

export function port(value: string): Result<number> {
  const number = Number(value);
  return /^\d{1,5}$/.test(value) && number >= 1 && number <= 65_535
    ? ok(number)
    : err(`must be a port, 1 to 65535: ${JSON.stringify(value)}`);
}

export function wholeNumber(least: number, most: number): (value: string) => Result<number> {
  return (value) => {
    const number = Number(value);
    const good = /^\d{1,12}$/.test(value) && number >= least && number <= most;
    return good ? ok(number) : err(`must be a whole number, ${least} to ${most}: ${JSON.stringify(value)}`);
  };
}

export function duration(value: string): Result<Millis> {
  const span = parseDuration(value);
  return span === undefined ? err(`must be a duration, as 500ms, 15m or 24h: ${JSON.stringify(value)}`) : ok(span);
}

export function oneOf<T extends string>(...choices: readonly T[]): (value: string) => Result<T> {
  return (value) => {
    const found = choices.find((choice) => choice === value);
    return found === undefined ? err(`must be ${choices.join(" or ")}: ${JSON.stringify(value)}`) : ok(found);
  };
}

/** wssUrl reads a broker's URL, `wss://HOST:PORT`. */
export function url(...protocols: readonly string[]): (value: string) => Result<string> {
  return (value) => {
    const parsed = URL.canParse(value) ? new URL(value) : undefined;
    const good =
      parsed !== undefined &&
      protocols.includes(parsed.protocol) &&
      parsed.hostname !== "" &&
      /^\/?$/.test(parsed.pathname) &&
      parsed.search === "" &&
      parsed.username === "";
    return good
      ? ok(value.replace(/\/$/, ""))
      : err(`must be ${protocols.map((p) => `${p}//HOST:PORT`).join(" or ")}: ${JSON.stringify(value)}`);
  };
}
