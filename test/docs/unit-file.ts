import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./pages.ts";

/** UnitFile is a systemd unit: for each section its settings, in order. A key may come several times. */
export interface UnitFile {
  readonly name: string;
  readonly text: string;
  readonly sections: ReadonlyMap<string, readonly (readonly [key: string, value: string])[]>;
  /** Lines that are neither a section, a setting nor a comment. */
  readonly faults: readonly string[];
}

const FOLDER = join(ROOT, "deploy/systemd");

/** unitFiles reads all units of deploy/systemd. */
export function unitFiles(): readonly UnitFile[] {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(".service"));
  return names.map((name) => parseUnit(name, readFileSync(join(FOLDER, name), "utf8")));
}

/** parseUnit reads the text of a unit (systemd.syntax(7), without continued lines, which ours have not). */
export function parseUnit(name: string, text: string): UnitFile {
  const sections = new Map<string, [string, string][]>();
  const faults: string[] = [];
  let settings: [string, string][] | undefined;
  for (const line of text.split("\n")) {
    const section = /^\[(\w+)\]$/.exec(line)?.[1];
    const setting = /^([A-Z]\w*)=(.*)$/.exec(line);
    if (section !== undefined) {
      settings = [];
      sections.set(section, settings);
    } else if (setting !== null && settings !== undefined) settings.push([setting[1] ?? "", setting[2] ?? ""]);
    else if (line !== "" && !line.startsWith("#")) faults.push(line);
  }
  return { name, text, sections, faults };
}

/** settingOf is the last value of a key, as systemd takes it; undefined where it is not set. */
export function settingOf({ sections }: UnitFile, section: string, key: string): string | undefined {
  return sections.get(section)?.findLast(([name]) => name === key)?.[1];
}

/** withoutPrivileges is the command that runs a unit's program with the rights that the unit leaves it: capabilities,
 *  no new privileges, and for a dynamic user nobody's ids (setpriv(1)). */
export function withoutPrivileges(unit: UnitFile): readonly string[] {
  const kept = (settingOf(unit, "Service", "CapabilityBoundingSet") ?? "").split(" ").filter((name) => name !== "");
  const bounds = ["-all", ...kept.map((name) => name.toLowerCase().replace(/^cap_/, "+"))].join(",");
  const dynamic = settingOf(unit, "Service", "DynamicUser") === "yes";
  const nobody = dynamic ? ["--reuid=65534", "--regid=65534", "--clear-groups"] : [];
  const rights = [`--bounding-set=${bounds}`, "--inh-caps=-all", "--no-new-privs", ...nobody];
  return ["setpriv", ...rights, ...(settingOf(unit, "Service", "ExecStart") ?? "").split(" ")];
}
