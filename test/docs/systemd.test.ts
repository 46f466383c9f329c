import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { loadVerbs } from "#cli";
import { page, ROOT } from "./pages.ts";
import { parseUnit, settingOf, unitFiles, withoutPrivileges } from "./unit-file.ts";

const VERBS = await loadVerbs();

const units = unitFiles();
const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0;

/** Every setting that our units use; a mistyped one, which systemd would only warn of, is not among them. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  Unit: ["Description", "Documentation", "Wants", "After", "StartLimitIntervalSec"],
  Service: [
    ...["Type", "ExecStart", "Restart", "RestartSec", "RestartPreventExitStatus", "TimeoutStartSec", "TimeoutStopSec"],
    ...["KillMode", "StateDirectory", "StateDirectoryMode", "CacheDirectory", "Environment", "UMask", "LimitCORE"],
    ...["RuntimeDirectory", "RuntimeDirectoryMode", "RuntimeDirectoryPreserve", "DynamicUser", "NoNewPrivileges"],
    ...["CapabilityBoundingSet", "DevicePolicy", "DeviceAllow", "ProtectSystem", "ProtectHome", "PrivateTmp"],
    ...["PrivateDevices", "ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs", "ProtectControlGroups"],
    ...["ProtectClock", "ProtectHostname", "RestrictAddressFamilies", "RestrictNamespaces", "RestrictSUIDSGID"],
    ...["LockPersonality", "SystemCallArchitectures"],
  ],
  Install: ["WantedBy"],
};

describe("parseUnit()", () => {
  test("reads sections and settings, the last of a key counting", () => {
    const unit = parseUnit("a.service", "# why\n[Unit]\nAfter=x\n\n[Service]\nType=simple\nType=notify\n");
    expect([...unit.sections.keys()]).toEqual(["Unit", "Service"]);
    expect(settingOf(unit, "Service", "Type")).toBe("notify");
    expect(settingOf(unit, "Install", "WantedBy")).toBeUndefined();
  });

  test("lists what is no setting", () => {
    expect(parseUnit("a.service", "Type=notify\n[Service]\nnot a setting\n").faults).toEqual([
      "Type=notify",
      "not a setting",
    ]);
  });
});

describe.each(units)("deploy/systemd/$name", (unit) => {
  test("has only sections and settings that systemd knows", () => {
    const strange = [...unit.sections].flatMap(([section, settings]) =>
      settings.filter(([key]) => KNOWN[section]?.includes(key) !== true).map(([key]) => `${section}.${key}`),
    );
    expect([...unit.faults, ...strange]).toEqual([]);
  });

  test.skipIf(!hasSystemd)("systemd-analyze finds nothing to say against it", () => {
    const folder = mkdtempSync(join(tmpdir(), "meridian-units-"));
    try {
      const file = join(folder, unit.name);
      writeFileSync(file, unit.text.replaceAll("/opt/meridian/", ROOT));
      const { status, stderr } = spawnSync("systemd-analyze", ["verify", file], { encoding: "utf8" });
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("is told when the daemon serves, and does not start again what is wrongly configured", () => {
    expect(settingOf(unit, "Service", "Type")).toBe("notify");
    expect(settingOf(unit, "Service", "Restart")).toBe("always");
    expect(settingOf(unit, "Service", "RestartPreventExitStatus")).toMatch(/\b2\b/);
  });

  test("its configuration has only keys of the command, and no secret", () => {
    const [verb = "", , file = ""] = (settingOf(unit, "Service", "ExecStart") ?? "").split(" ").slice(1);
    const keys = Object.keys(parse(readFileSync(join(ROOT, "deploy/systemd", file.replace(/.*\//, "")), "utf8")));
    const settings = VERBS.find(({ name }) => name === verb)?.settings ?? [];
    const known = settings.filter(({ secret }) => secret !== true).map(({ flag }) => flag.replaceAll("-", ""));
    expect(keys.filter((key) => !known.includes(key.toLowerCase()))).toEqual([]);
    expect(keys.length).toBeGreaterThan(3);
  });

  test("docs/setup.md speaks of it", () => {
    expect(page("docs/setup.md").text).toContain(unit.name);
  });
});

describe("meridian-gateway.service", () => {
  const unit = units.find(({ name }) => name === "meridian-gateway.service") ?? parseUnit("", "");

  test("stops the daemon alone, so that wireguard-go and its sockets outlive it", () => {
    expect(settingOf(unit, "Service", "KillMode")).toBe("process");
    expect(settingOf(unit, "Service", "RuntimeDirectory")).toBe("wireguard");
    expect(settingOf(unit, "Service", "RuntimeDirectoryPreserve")).toBe("yes");
  });

  test("does not start again after `meridian leave`, which ends it with 0", () => {
    expect(settingOf(unit, "Service", "RestartPreventExitStatus")?.split(" ")).toContain("0");
  });

  test("keeps the rights to change the network and to take port 53, and no others", () => {
    expect(withoutPrivileges(unit).slice(0, 4)).toEqual([
      "setpriv",
      "--bounding-set=-all,+net_admin,+net_bind_service",
      "--inh-caps=-all",
      "--no-new-privs",
    ]);
  });
});
