import { type Clock, isAbort, type Room, readIfThere, type Troubles } from "#life";

export interface FollowFileOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly troubles: Troubles;
  readonly heard: (text: string) => void;
}

/** The file is replaced by whoever copies it here, over a network perhaps: that is looked for, not waited for. */
const LOOK_MS = 1000;
const TROUBLE = "network-unread";

/** followFile reads the network from a file, again whenever it has changed. While it cannot be read, what it said stays. */
export function followFile({ path, clock, troubles, heard }: FollowFileOptions): Room {
  return {
    name: "network file",
    async run(signal) {
      let last: string | null = null;
      while (!signal.aborted) {
        const read = await readIfThere(path);
        const text = read.ok ? read.value : null;
        if (text === null) {
          const title = "The file that says where the gateways are cannot be read";
          const detail = `${read.ok ? `${path} is not there` : read.error}; what was last known stays in force`;
          troubles.set({ code: TROUBLE, severity: "warning", title, subject: "", detail });
        } else {
          troubles.clear(TROUBLE);
          if (text !== last) heard(text);
          last = text;
        }
        await clock.sleep(LOOK_MS, signal).catch((reason: unknown) => {
          if (!isAbort(reason)) throw reason;
        });
      }
    },
  };
}
