import { ask, asking, orFail } from "./ask.ts";
import { CONFIG, DATA, refuse, type Verb } from "./verb.ts";

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
  ],
  async run(call) {
    const { reader, dir } = asking(call);
    const body = { gateway: reader.on("gateway"), force: reader.on("force") };
    if (reader.faults.length > 0) return refuse(call.around, reader.faults);
    return orFail(call, await ask(dir, call, { method: "POST", of: "gateway", path: "/v1/leave", body }), (value) => {
      call.around.out(`${(value as { readonly message: string }).message}\n`);
      return 0;
    });
  },
};
