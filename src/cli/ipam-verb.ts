import { type Finding, lintPlan } from "#ipam";
import { parseIp } from "#values";
import { ask, asking, orFail, print } from "./ask.ts";
import { path } from "./parsers.ts";
import { readPlan } from "./plan-file.ts";
import { table } from "./table.ts";
import { CONFIG, DATA, type ExitCode, OUTPUT, refuse, type Verb } from "./verb.ts";

const listVerb: Verb = {
  name: "list",
  summary: "the allocation tree: whose each prefix is",
  example: "meridian ipam list -o json",
  settings: [CONFIG, DATA, OUTPUT],
  async run(call) {
    const { reader, dir, json } = asking(call);
    if (reader.faults.length > 0) return refuse(call.around, reader.faults);
    return orFail(call, await ask(dir, call, { method: "GET", path: "/v1/ipam" }), (value) => {
      const rows = value as readonly Readonly<Record<string, string | null>>[];
      print(call, json, rows, () => {
        const columns = ["prefix", "kind", "cluster", "local", "namespace", "name", "state", "since"];
        return table(
          columns.map((column) => column.toUpperCase()),
          rows.map((row) => columns.map((column) => row[column] ?? "-")),
        );
      });
      return 0;
    });
  },
};

const whoisVerb: Verb = {
  name: "whois",
  summary: "owner of an address",
  example: "meridian ipam whois 242.2.3.7",
  args: [{ name: "ip", help: "an address, as 242.2.3.7" }],
  settings: [CONFIG, DATA, OUTPUT],
  async run(call) {
    const { reader, dir, json } = asking(call);
    const address = parseIp(call.args[0] ?? "");
    if (!address.ok && call.args.length > 0) reader.faults.push(`<ip>: ${address.error}`);
    if (reader.faults.length > 0 || !address.ok) return refuse(call.around, reader.faults);
    const query = { address: address.value };
    return orFail(call, await ask(dir, call, { method: "GET", path: "/v1/whois", query }), (value) => {
      const owner = value as Readonly<Record<string, string | null>>;
      print(call, json, owner, () =>
        table(
          ["ADDRESS", "KIND", "CLUSTER", "LOCAL", "NAMESPACE", "NAME"],
          [["address", "kind", "cluster", "local", "namespace", "name"].map((column) => owner[column] ?? "-")],
        ),
      );
      return 0;
    });
  },
};

const planVerb: Verb = {
  name: "plan",
  summary: "check an address plan before anything is installed; exit 1 when a rule fails",
  example: "meridian ipam plan -f clusters.yaml",
  settings: [OUTPUT, { flag: "file", value: "FILE", help: "YAML with the clusters and their CIDRs (short: -f)" }],
  async run(call) {
    const { reader, json } = asking(call);
    const file = reader.need("file", path, "the plan, as -f clusters.yaml");
    if (reader.faults.length > 0 || file === null) return refuse(call.around, reader.faults);
    const plan = readPlan(file);
    if (!plan.ok) return refuse(call.around, plan.error);
    const findings = lintPlan(plan.value.content);
    if (!findings.ok) return refuse(call.around, findings.error.map(plan.value.at));
    print(call, json, findings.value, () => findingsText(findings.value));
    return findings.value.some(({ verdict }) => verdict === "fail") ? 1 : 0;
  },
};

/** ipam shows and checks the plan of addresses. */
export const ipamVerb: Verb = {
  name: "ipam",
  summary: "addresses: list, whois, plan",
  example: "meridian ipam whois 242.2.3.7",
  settings: [],
  verbs: [listVerb, whoisVerb, planVerb],
  run: async ({ around }): Promise<ExitCode> => refuse(around, ["ipam needs a verb: list, whois or plan"]),
};

function findingsText(findings: readonly Finding[]): string {
  return table(
    ["VERDICT", "RULE", "SUBJECT", "WHY", "REMEDY"],
    findings.map((f) => [f.verdict, f.rule, f.subject, f.why, f.remedy ?? ""]),
  );
}
