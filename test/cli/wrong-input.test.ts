import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadVerbs, type Verb } from "#cli";
import { freePort } from "#lab";
import { folder, goodToken, meridian, refusedIn } from "./testbed.ts";
import { WRONG_VALUES } from "./wrong-values.ts";

const VERBS = await loadVerbs();

/** What makes a call right but for one setting. */
const REST: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  broker: { data: "GONE", listen: "127.0.0.1:PORT", http: "127.0.0.1:PORT" },
  gateway: {
    data: "GONE",
    cluster: "amber",
    "join-token-file": "TOKEN",
    "pod-cidr": "10.244.0.0/16",
    "service-cidr": "10.96.0.0/16",
    "data-plane": "none",
    dns: "127.0.0.1:PORT",
    http: "127.0.0.1:PORT",
  },
  node: { data: "GONE", network: "GONE", http: "127.0.0.1:PORT" },
  dns: { manifests: "GONE", http: "127.0.0.1:PORT" },
  install: { cluster: "amber", kubeconfig: "ADMIN" },
  uninstall: { kubeconfig: "ADMIN" },
  "ipam plan": { file: "PLAN" },
};
/** Settings that only mean something, or are only wrong, beside others. */
const WITH: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  broker: { "token-file": "TOKEN" },
  "token-file": { broker: "https://127.0.0.1:7480" },
  "ca-file": { broker: "https://127.0.0.1:7480", "token-file": "TOKEN" },
};
const ARGS: Readonly<Record<string, readonly string[]>> = {
  "broker backup": ["/nowhere/backup"],
  "broker restore": ["/nowhere/backup"],
  explain: ["web.shop.svc.clusterset.local"],
  dig: ["web.shop.svc.clusterset.local"],
  "ipam whois": ["242.2.3.7"],
};

const KUBECONFIG = `clusters: [{name: amber, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: admin, user: {token: none}}]
contexts: [{name: amber, context: {cluster: amber, user: admin}}]
current-context: amber
`;
const SECRET = "mrd1.AAAAc2VjcmV0c2VjcmV0";
let dir = "";
let remove = (): void => {};
let port = 0;

beforeEach(async () => {
  [dir, remove] = folder();
  port = await freePort();
  writeFileSync(join(dir, "file"), "{}", { mode: 0o644 });
  chmodSync(join(dir, "file"), 0o644);
  writeFileSync(join(dir, "plan.yaml"), "clusters: [{id: a, podCidr: 10.0.0.0/16}]\n");
  writeFileSync(join(dir, "token"), goodToken());
  writeFileSync(join(dir, "kubeconfig"), KUBECONFIG);
});

afterEach(() => remove());

function fill(text: string): string {
  return text
    .replace("FILE", join(dir, "file"))
    .replace("GONE", join(dir, "gone"))
    .replace("PLAN", join(dir, "plan.yaml"))
    .replace("TOKEN", join(dir, "token"))
    .replace("ADMIN", join(dir, "kubeconfig"))
    .replace("PORT", String(port));
}

function flagsBut(verb: string, wrong: string): readonly string[] {
  const rest = { ...REST[verb], ...WITH[wrong] };
  const clash = wrong === "join-token" ? "join-token-file" : wrong;
  const kept = Object.entries(rest).filter(([flag]) => flag !== clash && flag !== wrong);
  return kept.flatMap(([flag, value]) => [`--${flag}`, fill(value)]);
}

const words = (verb: string): readonly string[] => [...verb.split(" "), ...(ARGS[verb] ?? [])];
const camelCase = (flag: string): string => flag.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
const envName = (flag: string): string => `MERIDIAN_${flag.toUpperCase().replaceAll("-", "_")}`;

const refused = (argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<readonly string[]> =>
  refusedIn(dir, port, argv, env);

function config(text: string): string {
  writeFileSync(join(dir, "meridian.yaml"), text);
  return join(dir, "meridian.yaml");
}

const all = Object.entries(WRONG_VALUES).flatMap(([verb, rows]) => rows.map((row) => [verb, ...row] as const));
const SWITCHES = [
  "throughput",
  "gateway",
  "force",
  "accept-loss",
  "tcp",
  "offline",
  "dry-run",
  "identity-only",
  "with-exports",
];
const isSwitch = (flag: string): boolean => SWITCHES.includes(flag);

describe("a wrong value", () => {
  test.each(all.filter(([, flag]) => !isSwitch(flag)))("of %s by flag: --%s %s", async (verb, flag, wrong, remedy) => {
    const faults = await refused([...words(verb), ...flagsBut(verb, flag), `--${flag}`, fill(wrong)]);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(remedy);
    expect(faults[0]).toMatch(flag === "file" ? join(dir, "gone") : new RegExp(`^--${flag}\\b`));
  });

  test.each(all)("of %s by environment: --%s %s", async (verb, flag, wrong, remedy) => {
    const faults = await refused([...words(verb), ...flagsBut(verb, flag)], { [envName(flag)]: fill(wrong) });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(remedy);
    expect(faults[0]).toMatch(flag === "file" ? join(dir, "gone") : new RegExp(`^${envName(flag)}\\b`));
  });

  const configured = all.filter(([verb, flag]) => verb !== "ipam plan" && flag !== "join-token");
  test.each(configured)("of %s by configuration: --%s %s", async (verb, flag, wrong, remedy) => {
    const file = config(`# a comment\n\n${camelCase(flag)}: ${fill(wrong)}\n`);
    const faults = await refused([...words(verb), ...flagsBut(verb, flag), "--config", file]);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(remedy);
    expect(faults[0]).toContain(`${file}:3: ${camelCase(flag)}`);
  });

  test("the table has every setting of every verb", () => {
    const own = ({ settings }: Verb, name: string): readonly string[] =>
      settings.filter(({ flag }) => flag !== "config").map(({ flag }) => `${name} --${flag}`);
    const named = (verb: Verb, name: string): readonly string[] => [
      ...(verb.verbs !== undefined && verb.daemon !== true ? [] : own(verb, name)),
      ...(verb.verbs ?? []).flatMap((sub) => named(sub, `${name} ${sub.name}`)),
    ];
    const every = VERBS.flatMap((verb) => named(verb, verb.name)).sort();
    expect(all.map(([verb, flag]) => `${verb} --${flag}`).sort()).toEqual(every);
  });
});

describe("values that are wrong only beside each other", () => {
  const gateway = (wrong: string): readonly string[] => ["gateway", ...flagsBut("gateway", wrong)];
  const broker = (wrong: string): readonly string[] => ["broker", ...flagsBut("broker", wrong)];

  test.each<[string, () => readonly string[], RegExp]>([
    [
      "equal pod CIDRs",
      () => [...gateway(""), "--pod-cidr", "10.244.0.0/16"],
      /^--pod-cidr: 10\.244\.0\.0\/16 overlaps --pod-cidr 10\.244\.0\.0\/16/,
    ],
    [
      "a service CIDR inside the pod CIDR",
      () => [...gateway("service-cidr"), "--service-cidr", "10.244.8.0/24"],
      /^--service-cidr: 10\.244\.8\.0\/24 overlaps --pod-cidr/,
    ],
    [
      "more global than pod CIDRs",
      () => [...gateway(""), "--global-cidr", "242.8.0.0/16", "--global-cidr", "242.9.0.0/16"],
      /^--global-cidr: 242\.9\.0\.0\/16 stands for no --pod-cidr/,
    ],
    [
      "an IPv6 pod CIDR",
      () => [...gateway("pod-cidr"), "--pod-cidr", "fd00::/48"],
      /^--pod-cidr: only IPv4 is translated in this version: fd00::\/48/,
    ],
    [
      "the marker of a program that marks nothing",
      () => [...gateway(""), "--export-marker", "submariner"],
      /^--export-marker: submariner marks no Services: its exports are ServiceExports/,
    ],
    [
      "a global CIDR that is shorter than the pod CIDR of an installation",
      () => ["install", ...flagsBut("install", ""), "--pod-cidr", "10.244.0.0/16", "--global-cidr", "242.8.0.0/20"],
      /^--global-cidr: 242\.8\.0\.0\/20 stands for 10\.244\.0\.0\/16 and must be as long: give one with \/16/,
    ],
    [
      "networks of an installation that overlap",
      () => ["install", ...flagsBut("install", ""), "--pod-cidr", "10.0.0.0/8", "--service-cidr", "10.96.0.0/16"],
      /^--service-cidr: 10\.96\.0\.0\/16 overlaps --pod-cidr 10\.0\.0\.0\/8/,
    ],
    [
      "an endpoint that is no place",
      () => [...gateway(""), "--endpoint", "0.0.0.0"],
      /^--endpoint: must be an address that other gateways can reach/,
    ],
    [
      "an endpoint without a port",
      () => [...gateway(""), "--endpoint", "192.0.2.1:0"],
      /^--endpoint: must have a port from 1 to 65535/,
    ],
    [
      "a DNS address twice",
      () => [...gateway(""), "--dns", fill("127.0.0.1:PORT")],
      /^--dns: 127\.0\.0\.1:\d+ is given twice/,
    ],
    [
      "no token and no identity",
      () => gateway("join-token"),
      /^--join-token is missing: \S+identity\.json is not there, .*meridian invite/,
    ],
    [
      "a token twice",
      () => [...gateway(""), "--join-token", SECRET],
      /^--join-token and --join-token-file are both given: give one of them/,
    ],
    [
      "a token file that is empty",
      () => [...gateway("join-token"), "--join-token-file", "/dev/null"],
      /^--join-token-file \/dev\/null: is empty/,
    ],
    ["a program that is a folder", () => [...gateway(""), "--wireguard-go", dir], /^--wireguard-go: is no program/],
    [
      "two supernets of one family",
      () => [...broker(""), "--supernet", "242.0.0.0/8", "--supernet", "241.0.0.0/8"],
      /^--supernet: one per address family at most: 242\.0\.0\.0\/8, 241/,
    ],
    [
      "a supernet of loopback",
      () => [...broker(""), "--supernet", "127.0.0.0/8"],
      /^--supernet: a supernet cannot contain addresses of 127\.0\.0\.0\/8/,
    ],
    [
      "a supernet that is too small",
      () => [...broker(""), "--supernet", "242.0.0.0/24"],
      /^--supernet: .*at most \/16/,
    ],
    [
      "a wildcard without --advertise",
      () => [...broker("listen"), "--listen", fill("0.0.0.0:PORT")],
      /^--advertise is missing: --listen 0\.0\.0\.0:\d+ is no address .* give --advertise wss:\/\/HOST:PORT/,
    ],
    [
      "a port of the kernel's choice without --advertise",
      () => [...broker("listen"), "--listen", "127.0.0.1:0"],
      /^--advertise is missing: --listen 127\.0\.0\.1:0 names no port/,
    ],
    [
      "a folder whose socket would have too long a name",
      () => [...broker("data"), "--data", join(dir, "x".repeat(100))],
      /^--data: must have at most 96 bytes, since a socket is made in it/,
    ],
    [
      "a remote broker without a token",
      () => ["invite", "--broker", "https://192.0.2.1:7480"],
      /^--token-file is missing: give a file with the broker's admin token/,
    ],
    [
      "a token without a remote broker",
      () => ["invite", "--token-file", join(dir, "token")],
      /^--token-file: is for --broker: give --broker/,
    ],
    [
      "a broker's URL with a password",
      () => ["invite", "--broker", "https://u:hunter2@192.0.2.1", "--token-file", join(dir, "token")],
      /^--broker: must be .*, without user or password$/,
    ],
  ])("%s", async (_what, argv, fault) => {
    const faults = await refused(argv());
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(fault);
  });
});

describe("a wrong call", () => {
  test.each<[string, readonly string[], readonly (string | RegExp)[]]>([
    [
      "an unknown verb",
      ["frobnicate"],
      [/^"frobnicate": unknown verb; the verbs are broker, gateway, node, dns, invite/],
    ],
    ["a verb misspelt", ["statsu"], ['"statsu": unknown verb; did you mean status?']],
    ["an unknown verb of ipam", ["ipam", "whos"], ['"whos": unknown verb; did you mean whois?']],
    ["a flag before the verb", ["--data", "/x", "status"], [/^--data: unknown flag here; flags stand after the verb/]],
    ["an unknown flag", ["status", "--frobnicate"], [/^--frobnicate: unknown flag; -h lists/]],
    [
      "a flag misspelt",
      ["gateway", "--pod-cdir", "x"],
      [
        /^--pod-cdir: unknown flag; did you mean --pod-cidr\?/,
        /^--cluster is missing/,
        /^--pod-cidr is missing/,
        /^--service-cidr is missing/,
        /^--join-token is missing/,
      ],
    ],
    ["a flag of another verb", ["status", "--supernet", "1.0.0.0/8"], [/^--supernet: unknown flag/]],
    ["a flag without its value", ["status", "--data"], ["--data: needs a value: --data DIR"]],
    [
      "a flag that would swallow the next one",
      ["status", "--data", "--output", "json"],
      ["--data: needs a value: --data DIR"],
    ],
    ["a single flag twice", ["status", "--data", "/x", "--data", "/y"], ["--data: is given 2 times: give it once"]],
    [
      "the short form and the long one",
      ["status", "-o", "json", "--output", "json"],
      ["--output: is given 2 times: give it once"],
    ],
    ["an empty value", ["status", "--data", ""], ["--data: must not be empty"]],
    ["a value for a switch", ["leave", "--force=yes"], ["--force: takes no value: write --force alone"]],
    ["an argument too many", ["status", "now"], ['"now": unexpected argument: leave it out']],
    ["an argument too few", ["explain"], [/^<name-or-ip> is missing: give a name of the clusterset, or an address/]],
    ["an empty argument", ["explain", ""], [/^<name-or-ip> is missing/]],
    ["no address", ["ipam", "whois", "1.2.3"], ['<ip>: not an IP address: "1.2.3"']],
    ["no plan", ["ipam", "plan"], ["--file is missing: give the plan, as -f clusters.yaml"]],
  ])("%s", async (_what, argv, faults) => {
    const got = await refused(argv);
    expect(got).toHaveLength(faults.length);
    for (const [at, fault] of faults.entries()) expect(got[at]).toMatch(fault);
  });

  test.each([
    [[], "meridian needs a verb: broker, gateway"],
    [["ipam"], "ipam needs a verb: list, whois, plan"],
  ])("%j without a verb shows the help and says what is missing, on stderr", async (argv, fault) => {
    const { code, out, err } = await meridian(argv);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("Usage: meridian");
    expect(err.trimEnd().split("\n").at(-1)).toContain(`meridian: ${fault}`);
  });

  test("all faults come at once, whatever their source", async () => {
    const file = config("podCidr: [10.0.0.0/8, 10.244.0.1/16]\nlistenPort: 0\nnmae: x\n");
    const faults = await refused(
      ["gateway", "--config", file, "--bogus", "--cluster", "A", "--data-plane", "x", "--dns", "y", "--name"],
      { MERIDIAN_SERVICE_CIDR: "10.96.0.0", MERIDIAN_LOG_LEVEL: "loud" },
    );
    expect(faults.map((fault) => fault.replace(file, "FILE").slice(0, 32))).toEqual([
      "--name: needs a value: --name NO",
      "--bogus: unknown flag; -h lists ",
      "FILE:3: nmae: unknown key; did y",
      "MERIDIAN_LOG_LEVEL: must be debu",
      "--cluster: cluster id must be a ",
      "FILE:1: podCidr: 10.244.0.1/16 h",
      "MERIDIAN_SERVICE_CIDR: not a CID",
      "FILE:2: listenPort: must be a wh",
      "--data-plane: must be auto, kern",
      "--dns: must be IP:PORT, as 10.0.",
      "--join-token is missing: /var/li",
    ]);
  });
});

describe("a secret", () => {
  test.each<[string, readonly string[]]>([
    ["as an argument", ["status", SECRET]],
    ["as the verb", [SECRET]],
    ["as another setting", ["gateway", "--cluster", SECRET]],
    ["with a flag misspelt", ["gateway", `--join-tokn=${SECRET}`]],
    ["cut off", ["gateway", "--cluster", "a", "--join-token", SECRET]],
    ["as a file's name", ["gateway", "--cluster", "a", "--join-token-file", SECRET]],
  ])("is not printed when it is given %s", async (_how, argv) => {
    const { code, out, err } = await meridian(argv);
    expect(code).toBe(2);
    expect(out + err).not.toContain(SECRET.slice(5));
  });

  test("control characters of a value do not reach the terminal", async () => {
    const { err } = await meridian(["status", "--data", `${dir}/\u001b[2J\nmeridian: fine`]);
    expect(err).toContain("\\x1b[2J\\nmeridian: fine");
    expect(err.split("\n")).toHaveLength(2);
  });
});
