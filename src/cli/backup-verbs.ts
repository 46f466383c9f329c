import { resolve } from "node:path";
import { type Restored, restore } from "#broker";
import { ask, asking, orFail, print } from "./ask.ts";
import { daemonLog } from "./daemon-log.ts";
import { dataDir, oneOf } from "./parsers.ts";
import { Reader } from "./reader.ts";
import { CONFIG, DAEMON, DATA, fail, OUTPUT, refuse, type Verb } from "./verb.ts";

const FILE = { name: "FILE", help: "the backup, as one file" } as const;

/** backup has the broker of this host write all that it would need to begin again. */
export const backupVerb: Verb = {
  name: "backup",
  summary: "write authority, allocation key and store of the running broker to one file",
  example: "meridian broker backup --data /var/lib/meridian-broker /var/backups/meridian.backup",
  args: [FILE],
  settings: [CONFIG, DATA, OUTPUT],
  async run(call) {
    const { reader, dir, json } = asking(call);
    if (reader.faults.length > 0) return refuse(call.around, reader.faults);
    // The daemon's working folder is another one.
    const path = resolve(call.args[0] ?? "");
    const answer = await ask(dir, call, { method: "POST", of: "broker", path: "/v1/backup", body: { path } });
    return orFail(call, answer, (value) => {
      print(call, json, value, () => `${path} holds the broker and its keys: keep it secret\n`);
      return 0;
    });
  },
};

/** restore makes a broker's data folder from a backup, while no broker runs on it. */
export const restoreVerb: Verb = {
  name: "restore",
  summary: "make a broker's data folder from a backup; start the broker on it then",
  example: "meridian broker restore --data /var/lib/meridian-broker /var/backups/meridian.backup",
  args: [FILE],
  settings: [
    CONFIG,
    ...DAEMON,
    OUTPUT,
    {
      flag: "accept-loss",
      value: null,
      help: "wait for no member: what was granted after the backup may be granted again",
    },
  ],
  async run(call) {
    const reader = new Reader(call.given);
    const log = daemonLog(reader, call.around);
    const dir = reader.one("data", dataDir, "/var/lib/meridian");
    const json = reader.one("output", oneOf("json", "table"), "table") === "json";
    const acceptLoss = reader.on("accept-loss");
    if (dir === null || reader.faults.length > 0) return refuse(call.around, reader.faults);
    const { clock } = call.around;
    const restored = restore({ file: resolve(call.args[0] ?? ""), dir, acceptLoss, clock, log });
    if (!restored.ok) return fail(call.around, restored.error);
    print(call, json, restored.value, () => told(dir, restored.value, acceptLoss));
    return 0;
  },
};

function told(dir: string, { id, generation, revision }: Restored, acceptLoss: boolean): string {
  const wait = acceptLoss ? "" : "; joins and grants wait until every known member was seen";
  return `${dir} holds store ${id}, generation ${generation}, revision ${revision}${wait}\n`;
}
