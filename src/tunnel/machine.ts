import type { Result, TunnelKey } from "#values";
import type { ConfigureStep } from "./step.ts";

/** Machine is what steps need of the outside, and no more: the real one calls `ip`, `wg` and wireguard-go. */
export interface Machine {
  /** create makes an interface that WireGuard answers for, in place of a dead one; an error if its port is taken. */
  create(index: number, listenPort: number): Promise<Result<null>>;
  /** destroy removes an interface and waits for the end of its process. */
  destroy(index: number): Promise<Result<null>>;
  configure(step: ConfigureStep): Promise<Result<null>>;
  forget(index: number, peers: readonly TunnelKey[]): Promise<Result<null>>;
  setSysctl(name: string, value: string): Promise<Result<null>>;
  /** batch runs lines of `ip` in order and gives one fault per failed line; the others are carried out. */
  batch(lines: readonly string[]): Promise<readonly string[]>;
  /** bridge runs one line of `bridge`. */
  bridge(line: string): Promise<Result<null>>;
}
