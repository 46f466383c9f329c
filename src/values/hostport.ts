import { familyOf, type Ip, parseIp } from "./ip.ts";
import { err, ok, type Result } from "./result.ts";

/** HostPort is a place to listen on or to send to: an address, never a name. */
export interface HostPort {
  readonly host: Ip;
  /** 0 asks the kernel for a free port, where that makes sense. */
  readonly port: number;
}

/** parseHostPort reads `10.0.0.1:53` and `[fd00::1]:53`; without a port, the default if there is one. */
export function parseHostPort(text: string, defaultPort?: number): Result<HostPort> {
  const bracketed = /^\[([^\]]*:[^\]]*)\](?::(\d{1,5}))?$/.exec(text);
  const plain = /^([^:[\]]+)(?::(\d{1,5}))?$/.exec(text);
  const match = bracketed ?? plain;
  const host = match === null ? parseIp(text) : parseIp(match[1] ?? "");
  const port = match?.[2] === undefined ? defaultPort : Number(match[2]);
  if (!host.ok) return err(`must be IP:PORT, as 10.0.0.1:53 or [fd00::1]:53: ${JSON.stringify(text.slice(0, 80))}`);
  if (port === undefined) return err(`needs a port, as ${formatHostPort({ host: host.value, port: 53 })}`);
  return port <= 65_535 ? ok({ host: host.value, port }) : err(`port must be 0 to 65535: ${port}`);
}

export function formatHostPort({ host, port }: HostPort): string {
  return familyOf(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}
