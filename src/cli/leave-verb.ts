import { undoHost } from "#gateway";
import { lockDataDir } from "#store";
import { ask, asking, orFail } from "./ask.ts";
import { type Call, CONFIG, DATA, type ExitCode, fail, refuse, type Verb } from "./verb.ts";

/** leave takes the cluster (or only this gateway) out of the clusterset and everything of ours off this host. */
export const leaveVerb: Verb = {
  name: "leave",
  summary: "the cluster leaves: prefixes into quarantine, everything on this host undone",
  example: "meridian leave --gateway",
  settings: [
    CONFIG,
    DATA,
    { flag: "gateway", value: null, help: "only this gateway, not the cluster" },
    { flag: "force", value: null, help: "leave although the broker cannot be told" },
    {
      flag: "offline",
      value: null,
      help: "no daemon runs here: undo what is on this host, empty its data folder, and tell nobody",
    },
  ],
  async run(call) {
    const { reader, dir } = asking(call);
    const body = { gateway: reader.on("gateway"), force: reader.on("force") };
    const offline = reader.on("offline");
    if (offline && (body.gateway || body.force))
      reader.fault("offline", "means nothing beside --gateway and --force: nobody is told");
    if (reader.faults.length > 0) return refuse(call.around, reader.faults);
    if (offline) return undo(dir, call);
    return orFail(call, await ask(dir, call, { method: "POST", of: "gateway", path: "/v1/leave", body }), (value) => {
      call.around.out(`${(value as { readonly message: string }).message}\n`);
      return 0;
    });
  },
};

async function undo(dir: string, { around }: Call): Promise<ExitCode> {
  const lock = lockDataDir(dir);
  if (!lock.ok) return fail(around, `${lock.error}: leave without --offline`);
  using _held = lock.value;
  const done = await undoHost(dir, around.clock);
  if (!done.ok) return fail(around, done.error);
  around.out("everything of a gateway on this host is undone\n");
  return 0;
}
