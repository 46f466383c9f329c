import type { Check } from "#gateway";
import { ask, asking, orFail, print } from "./ask.ts";
import { table } from "./table.ts";
import { CONFIG, DATA, OUTPUT, refuse, type Verb } from "./verb.ts";

/** diagnose runs checks with a verdict, a reason and a remedy each; exit 1 if one failed. */
export const diagnoseVerb: Verb = {
  name: "diagnose",
  summary: "checks with a verdict, a reason and a remedy each; exit 1 if one failed",
  example: "meridian diagnose -o json",
  settings: [CONFIG, DATA, OUTPUT],
  async run(call) {
    const { reader, dir, json } = asking(call);
    if (reader.faults.length > 0) return refuse(call.around, reader.faults);
    return orFail(call, await ask(dir, call, { method: "GET", of: "gateway", path: "/v1/diagnose" }), (value) => {
      const checks = value as readonly Check[];
      print(call, json, checks, () =>
        table(
          ["VERDICT", "CHECK", "REASON", "REMEDY"],
          checks.map((c) => [c.verdict, c.check, c.reason, c.remedy ?? ""]),
        ),
      );
      return checks.some(({ verdict }) => verdict === "fail") ? 1 : 0;
    });
  },
};
