import { readFileSync } from "node:fs";
import { LineCounter, parseDocument } from "yaml";
import { type Finding, lintPlan } from "#ipam";
import { err, ok, parseIp, type Result } from "#values";
import { ask, orFail, print, wantsJson } from "./ask.ts";
import { path } from "./daemon-log.ts";
import { Reader } from "./reader.ts";
import { table } from "./table.ts";
import { CONFIG, DATA, type ExitCode, fail, OUTPUT, refuse, type Verb } from "./verb.ts";

const listVerb: Verb = {
  name: "list",
  summary: "the allocation tree: whose each prefix is",
  example: "meridian ipam list -o json",
  settings: [CONFIG, DATA, OUTPUT],
  async run(call) {
    const reader = new Reader(call.given);
    const json = wantsJson(reader);
    if (reader.faults.length > 0) return refuse(call.around, reader.faults);
    return orFail(call, await ask(reader, call, { method: "GET", path: "/v1/ipam" }), (value) => {
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
  args: [{ name: "<ip>", help: "an address" }],
  settings: [CONFIG, DATA, OUTPUT],
  async run(call) {
    const reader = new Reader(call.given);
    const json = wantsJson(reader);
    const address = parseIp(call.args[0] ?? "");
    if (!address.ok) reader.fault(address.error);
    if (reader.faults.length > 0 || !address.ok) return refuse(call.around, reader.faults);
    const query = { address: address.value };
    return orFail(call, await ask(reader, call, { method: "GET", path: "/v1/whois", query }), (value) => {
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
    const reader = new Reader(call.given);
    const json = wantsJson(reader);
    const file = reader.need("file", path, "-f clusters.yaml");
    if (reader.faults.length > 0 || file === null) return refuse(call.around, reader.faults);
    const document = readYaml(file);
    if (!document.ok) return refuse(call.around, [document.error]);
    const findings = lintPlan(document.value);
    if (!findings.ok)
      return refuse(
        call.around,
        findings.error.map((fault) => `${file}: ${fault}`),
      );
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
  run: async ({ around }): Promise<ExitCode> => fail(around, "ipam needs a verb: list, whois or plan"),
};

function readYaml(file: string): Result<unknown> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    return err(
      `${file}: ${(error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : String(error)}`,
    );
  }
  const document = parseDocument(text, { lineCounter: new LineCounter() });
  const broken = document.errors[0];
  if (broken !== undefined) return err(`${file}:${broken.linePos?.[0].line ?? 1}: ${broken.message.split("\n")[0]}`);
  return ok(document.toJS({ maxAliasCount: 100 }));
}

function findingsText(findings: readonly Finding[]): string {
  return table(
    ["VERDICT", "RULE", "SUBJECT", "WHY", "REMEDY"],
    findings.map((f) => [f.verdict, f.rule, f.subject, f.why, f.remedy ?? ""]),
  );
}
