import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { freePort } from "#lab";
import { folder, goodToken, meridian, refusedIn } from "./testbed.ts";

/** Resources of Submariner as configuration, as users give them: `--config FILE`. */

const SAMPLE = readFileSync(join(import.meta.dirname, "samples/submariner.yaml"), "utf8");
const REAL = SAMPLE.replace("<psk>", "Wb9yTxq0V1kR3nZcJ5hLs7MdPf2GaEuQ");
let dir = "";
let remove = (): void => {};
let port = 0;

beforeEach(async () => {
  [dir, remove] = folder();
  port = await freePort();
  writeFileSync(join(dir, "token"), goodToken());
});

afterEach(() => remove());

function config(text: string): string {
  writeFileSync(join(dir, "submariner.yaml"), text);
  return join(dir, "submariner.yaml");
}

/** A gateway that lacks what the file is to say. */
function gateway(text: string): readonly string[] {
  const here = ["--data", join(dir, "gone"), "--dns", `127.0.0.1:${port}`, "--http", `127.0.0.1:${port}`];
  return [
    "gateway",
    "--config",
    config(text),
    ...here,
    "--data-plane",
    "none",
    "--join-token-file",
    join(dir, "token"),
  ];
}

const broker = (text: string): readonly string[] => {
  const at = `127.0.0.1:${port}`;
  return ["broker", "--config", config(text), "--data", join(dir, "gone"), "--listen", at, "--http", "127.0.0.1:0"];
};

describe("a call with a wrong resource is refused at the file's line", () => {
  test.each<[string, () => readonly string[], readonly RegExp[]]>([
    ["the sample as it stands", () => gateway(SAMPLE), [/:22: ceIPSecPSK: is a placeholder/]],
    [
      "its installation",
      () => ["install", "--dry-run", "--config", config(SAMPLE)],
      [/:22: ceIPSecPSK: is a placeholder/],
    ],
    [
      "a global prefix of another length",
      () => gateway(REAL.replace("242.1.0.0/16", "242.1.0.0/20")),
      [/:27: globalCIDR: 242\.1\.0\.0\/20 stands for 10\.244\.0\.0\/16 and must be as long: give one with \/16$/],
    ],
    [
      "a wrong network",
      () => gateway(REAL.replace("10.244.0.0/16", "10.244.0.0")),
      [/:23: clusterCIDR: .*"10\.244\.0\.0"/],
    ],
    [
      "networks that overlap",
      () => gateway(REAL.replace("10.96.0.0/12", "10.244.8.0/24")),
      [/:31: serviceCIDR: 10\.244\.8\.0\/24 overlaps \S+:23: clusterCIDR 10\.244/],
    ],
    [
      "a wrong id",
      () => gateway(REAL.replace('"cluster-a"', "Cluster_A")),
      [/:24: clusterID: cluster id must be a DNS label/],
    ],
    ["no id", () => gateway(REAL.replace(/^ {2}clusterID.*\n/m, "")), [/^--cluster is missing/]],
    [
      "a wrong supernet",
      () => broker(SAMPLE.replace("242.0.0.0/8", "127.0.0.0/8")),
      [/:8: globalnetCIDRRange: a supernet cannot/],
    ],
    [
      "the other kind alone",
      () => broker(SAMPLE.split("---\n")[1] ?? ""),
      [/:1: holds no Broker of submariner\.io\/v1alpha1$/],
    ],
    [
      "a verb that reads none",
      () => ["status", "--config", config(SAMPLE)],
      [/:1: resources of Submariner are read by broker, gateway and install alone$/],
    ],
  ])("%s", async (_what, argv, faults) => {
    const got = await refusedIn(dir, port, argv());
    expect(got).toHaveLength(faults.length);
    for (const [at, fault] of faults.entries()) expect(got[at]).toMatch(fault);
  });

  test("flag and environment come before the file", async () => {
    const argv = gateway(REAL.replace("10.244.0.0/16", "10.244.0.0"));
    expect(await refusedIn(dir, port, [...argv, "--pod-cidr", "10.8.0.0/20"])).toEqual([
      expect.stringMatching(/:27: globalCIDR: 242\.1\.0\.0\/16 stands for 10\.8\.0\.0\/20/),
    ]);
    expect(await refusedIn(dir, port, argv, { MERIDIAN_POD_CIDR: "here" })).toEqual([
      expect.stringMatching(/^MERIDIAN_POD_CIDR: /),
    ]);
  });
});

describe("a right resource", () => {
  /** Runs a daemon until it has written a line, and gives all that it wrote. */
  async function until(line: RegExp, argv: readonly string[]): Promise<readonly Record<string, unknown>[]> {
    const stop = new AbortController();
    const onErr = (text: string): void => {
      if (line.test(text)) stop.abort();
    };
    const { err } = await meridian(argv, { signal: stop.signal, onErr });
    return err
      .split("\n")
      .slice(0, -1)
      .map((text) => JSON.parse(text) as Record<string, unknown>);
  }

  test("starts a gateway, whose log names in one line what means nothing", async () => {
    const lines = await until(/means nothing here/, gateway(REAL));
    const warnings = lines.filter(({ level }) => level === "warn").map(({ msg }) => msg);
    expect(warnings).toEqual([
      expect.stringMatching(/submariner\.yaml: means nothing here: broker, .*ceIPSecPSK \(every .*version$/),
    ]);
  });

  test("starts a broker with its supernet, and there is nothing to warn of", async () => {
    const lines = await until(/"msg":"ready"/, broker(SAMPLE.replace("242.0.0.0/8", "241.0.0.0/8")));
    expect(lines.filter(({ level }) => level !== "info")).toEqual([]);
    const again = await meridian([...broker(SAMPLE)]);
    expect(again).toMatchObject({ code: 2, err: expect.stringContaining("241.0.0.0/8") });
  });

  test("starts a broker of a Broker without Globalnet, which says where that is to be said", async () => {
    const lines = await until(/"msg":"ready"/, broker(SAMPLE.replace("true", "false").replace("242.0", "241.0")));
    expect(lines.filter(({ level }) => level === "warn").map(({ msg }) => msg)).toEqual([
      expect.stringMatching(/means nothing here: globalnetEnabled \(.* give its gateways --globalnet off\)$/),
    ]);
  });

  test("is the configuration of the gateways that are installed, its global prefix included", async () => {
    const direct = ["--globalnet", "off"]; // no field of theirs says it
    const argv = ["install", "--dry-run", "-o", "json", "--config", config(REAL), ...direct];
    const { code, out, err } = await meridian(argv);
    expect(code).toBe(0);
    expect(err).toMatch(/^meridian: \S+submariner\.yaml: means nothing here: broker, .*\n$/);
    const { items } = JSON.parse(out) as {
      items: readonly { kind: string; data?: Readonly<Record<string, string>> }[];
    };
    const texts = items.flatMap(({ kind, data }) => (kind === "ConfigMap" ? Object.values(data ?? {}) : []));
    expect(texts.map((text) => parse(text) as unknown)).toContainEqual({
      cluster: "cluster-a",
      podCidr: ["10.244.0.0/16"],
      serviceCidr: ["10.96.0.0/12"],
      globalCidr: ["242.1.0.0/16"],
      globalnet: "off",
    });
  });
});
