import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { freePort } from "#lab";
import { folder, goodToken, meridian, refusedIn } from "./testbed.ts";

/** The configuration file, and which of several values counts. */

const SECRET = "mrd1.AAAAc2VjcmV0c2VjcmV0";
let dir = "";
let remove = (): void => {};
let port = 0;

beforeEach(async () => {
  [dir, remove] = folder();
  port = await freePort();
  writeFileSync(join(dir, "token"), goodToken());
});

afterEach(() => remove());

/** A gateway that would start, but for its configuration. */
function gateway(): readonly string[] {
  const here = ["--data", join(dir, "gone"), "--dns", `127.0.0.1:${port}`, "--http", `127.0.0.1:${port}`];
  const cidrs = ["--pod-cidr", "10.244.0.0/16", "--service-cidr", "10.96.0.0/16"];
  return [...here, ...cidrs, "--cluster", "amber", "--join-token-file", join(dir, "token"), "--data-plane", "none"];
}

const refused = (argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<readonly string[]> =>
  refusedIn(dir, port, argv, env);

function config(text: string): string {
  writeFileSync(join(dir, "meridian.yaml"), text);
  return join(dir, "meridian.yaml");
}

describe("a wrong configuration", () => {
  test.each<[string, string, readonly RegExp[]]>([
    ["an unknown key", "podCdir: 10.0.0.0/8\n", [/:1: podCdir: unknown key; did you mean podCidr\?/]],
    ["a key like nothing", "frobnicate: 1\n", [/:1: frobnicate: unknown key; known are data, logFormat/]],
    ["a key of another daemon", "supernet: 242.0.0.0/8\n", [/:1: supernet: unknown key/]],
    ["the flag's spelling", "pod-cidr: 10.0.0.0/8\n", [/:1: pod-cidr: unknown key; did you mean podCidr\?/]],
    [
      "several at once",
      "a: 1\n\nb: 2\nlistenPort: many\n",
      [/:1: a: unknown key/, /:3: b: unknown key/, /:4: listenPort: must be a whole number/],
    ],
    ["a secret", `joinToken: ${SECRET}\n`, [/:1: joinToken: a secret does not stand here; use joinTokenFile$/]],
    ["another configuration", "config: other.yaml\n", [/:1: config: unknown key/]],
    [
      "a list where one value is wanted",
      "endpoint: [192.0.2.1]\n",
      [/:1: endpoint: must be one value, as endpoint: IP\[:PORT\]/],
    ],
    ["a map where one value is wanted", "manifests:\n  dir: /x\n", [/:1: manifests: must be one value/]],
    [
      "a map in a list",
      "dns:\n- host: 127.0.0.1\n",
      [/:1: dns: must be one value, as dns: HOST:PORT, or a list of them/],
    ],
    ["nothing", "http:\n", [/:1: http: must be one value/]],
    ["a wrong item of a list", "globalCidr:\n- 242.9.0.0/16\n- here\n", [/:3: globalCidr: not a CIDR.*: "here"/]],
    ["a number for a name", "name: 1e3_\n", [/:1: name: .*"1e3_"/]],
    ["YAML that ends too soon", "name: x\ndns: [127.0.0.1:53\n", [/meridian\.yaml:\d: .*(flow|\])/i]],
    ["a tab", "name: x\ndns:\n\t- 1\n", [/meridian\.yaml:3: .*[Tt]ab/]],
    ["a key twice", "name: x\nname: y\n", [/meridian\.yaml:2: Map keys must be unique/]],
    ["a list", "- name\n", [/meridian\.yaml:1: must be a map of settings, as "podCidr: 10\.244\.0\.0\/16"/]],
    ["a text", "hello\n", [/meridian\.yaml:1: must be a map of settings/]],
    ["two documents", "name: x\n---\nname: y\n", [/meridian\.yaml:\d: .*multiple documents/]],
  ])("%s", async (_what, text, faults) => {
    const got = await refused(["gateway", ...gateway(), "--config", config(text)]);
    expect(got).toHaveLength(faults.length);
    for (const [at, fault] of faults.entries()) expect(got[at]).toMatch(fault);
  });

  test("a file that cannot be read is named with where it was given, and settings it may hold are not called missing", async () => {
    mkdirSync(join(dir, "folder"));
    const gone = join(dir, "gone.yaml");
    expect(await refused(["gateway", "--config", gone])).toEqual([`--config ${gone}: there is no such file`]);
    expect(await refused(["status"], { MERIDIAN_CONFIG: join(dir, "folder") })).toEqual([
      `MERIDIAN_CONFIG ${dir}/folder: is a folder, not a file`,
    ]);
    expect(await refused(["status", "--config", ""])).toEqual(["--config : must not be empty"]);
  });

  test("a daemon's file also serves the verbs that ask it", async () => {
    const file = config(`data: ${dir}/gone\ncluster: amber\npodCidr: 10.244.0.0/16\n`);
    const { code, err } = await meridian(["status", "--config", file]);
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining(`${dir}/gone/admin.sock`) });
    expect(await refused(["status", "--config", config("data: x\nnonsense: 1\n")])).toEqual([
      expect.stringContaining(":2: nonsense: unknown key"),
    ]);
  });
});

describe("which value counts", () => {
  const asked = async (argv: readonly string[], env: Readonly<Record<string, string>>): Promise<string> =>
    /answers at (\S+)\/admin\.sock/.exec((await meridian(["status", ...argv], { env })).err)?.[1] ?? "?";

  test("a flag, then the environment, then the configuration, then the default", async () => {
    const file = config("data: /config\n");
    expect(await asked(["--data", "/flag", "--config", file], { MERIDIAN_DATA: "/env" })).toBe("/flag");
    expect(await asked(["--config", file], { MERIDIAN_DATA: "/env" })).toBe("/env");
    expect(await asked(["--config", file], {})).toBe("/config");
    expect(await asked([], { MERIDIAN_CONFIG: file })).toBe("/config");
    expect(await asked([], { MERIDIAN_DATA: "" })).toBe("/var/lib/meridian");
  });

  test("a relative folder is one below the working directory", async () => {
    expect(await asked(["--data", "some/where"], {})).toBe(join(process.cwd(), "some/where"));
  });

  test("switches can be off in environment and configuration", async () => {
    const argv = ["bench", "--data", join(dir, "gone")];
    for (const off of ["false", "0"])
      expect((await meridian(argv, { env: { MERIDIAN_THROUGHPUT: off } })).code).toBe(1);
    expect((await meridian([...argv, "--config", config("throughput: false\n")])).code).toBe(1);
  });
});
