import { ask, asking, orFail } from "./ask.ts";
import { span } from "./parsers.ts";
import { CONFIG, DATA, refuse, type Verb } from "./verb.ts";

/** drain empties this gateway before its host is upgraded or taken away. */
export const drainVerb: Verb = {
  name: "drain",
  summary: "this gateway takes no new flows, waits for those it has, then stops: for upgrades without a hole",
  example: "meridian drain --timeout 2m",
  settings: [
    CONFIG,
    DATA,
    { flag: "timeout", value: "SPAN", help: "how long flows in use may keep it, at most 1h", fallback: "1m" },
  ],
  async run(call) {
    const { reader, dir } = asking(call);
    const timeoutMs = reader.one("timeout", span("0s", "1h"), "1m");
    if (reader.faults.length > 0) return refuse(call.around, reader.faults);
    const question = { method: "POST", of: "gateway", path: "/v1/drain", body: { timeoutMs } } as const;
    return orFail(call, await ask(dir, call, question), (value) => {
      call.around.out(`${(value as { readonly message: string }).message}\n`);
      return 0;
    });
  },
};
