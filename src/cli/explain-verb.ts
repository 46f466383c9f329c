import type { Explanation } from "#gateway";
import { ask, asking, orFail, print } from "./ask.ts";
import { table } from "./table.ts";
import { CONFIG, DATA, OUTPUT, refuse, type Verb } from "./verb.ts";

/** explain says why a name answers what it answers, or whose an address is. */
export const explainVerb: Verb = {
  name: "explain",
  summary: "why a name answers what it answers, who an address is, or why neither",
  example: "meridian explain web.shop.svc.clusterset.local",
  args: [{ name: "name-or-ip", help: "a name of the clusterset, or an address" }],
  settings: [CONFIG, DATA, OUTPUT],
  async run(call) {
    const { reader, dir, json } = asking(call);
    if (reader.faults.length > 0) return refuse(call.around, reader.faults);
    const query = { q: call.args[0] ?? "" };
    return orFail(call, await ask(dir, call, { method: "GET", of: "gateway", path: "/v1/explain", query }), (value) => {
      const found = value as Explanation;
      print(call, json, found, () => {
        const steps = found.steps.map(({ stage, subject, verdict, why }) => [stage, subject, verdict, why]);
        return `${found.question}: ${found.answer.length === 0 ? "no answer" : found.answer.join(" ")}\n${found.reason}\n\n${table(["STAGE", "SUBJECT", "VERDICT", "WHY"], steps)}`;
      });
      return found.answer.length > 0 ? 0 : 1;
    });
  },
};
