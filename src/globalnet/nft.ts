import { type CommandFault, runCommand } from "#life";
import { ok, type Result } from "#values";

/** Nft is nftables as this room uses it. */
export interface Nft {
  /** run applies one transaction: all of its commands at one moment, or none and a fault. */
  run(text: string, signal?: AbortSignal): Promise<Result<void, CommandFault>>;
  /** list prints something, by the arguments of the command `nft`. */
  list(args: readonly string[], signal?: AbortSignal): Promise<Result<string, CommandFault>>;
}

/** systemNft runs the program `nft`; a prefix such as `ip netns exec NAME` puts it into another network namespace. */
export function systemNft(prefix: readonly string[] = []): Nft {
  return {
    async run(text, signal) {
      const done = await runCommand([...prefix, "nft", "-f", "-"], {
        stdin: text,
        ...(signal === undefined ? {} : { signal }),
      });
      return done.ok ? ok(undefined) : done;
    },
    list: (args, signal) => runCommand([...prefix, "nft", ...args], signal === undefined ? {} : { signal }),
  };
}
