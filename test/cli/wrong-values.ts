type Row = readonly [flag: string, wrong: string, remedy: RegExp];

const DATA: Row = ["data", "FILE", /is a file, not a folder: \S+\/file$/];
const OUTPUT: Row = ["output", "yaml", /must be json or table: "yaml"/];
const COMMON: readonly Row[] = [DATA, OUTPUT];
const DAEMON: readonly Row[] = [
  DATA,
  ["log-format", "xml", /must be text or json: "xml"/],
  ["log-level", "loud", /must be debug, info, warn or error: "loud"/],
];
const PLACE = /must be IP:PORT, as 10\.0\.0\.1:53 or \[fd00::1\]:53: "localhost:53"/;
const SWITCH = /must be true or false: "maybe"/;

const KUBE: readonly Row[] = [
  ["kubeconfig", "GONE", /there is no such file/],
  ["context", "lab", /means nothing without --kubeconfig FILE/],
];
const ADMIN: readonly Row[] = [
  ["kubeconfig", "GONE", /there is no such file/],
  ["context", "lab", /it has no context "lab"; it has: amber/],
];

/** Every setting of every verb with a wrong value: by flag, by environment, by configuration. Each is exit code 2 and
 *  one line with the place and what to write instead, and nothing is made or bound.
 *
 *  In values, FILE is a file where a folder or JSON is wanted, and GONE a path where nothing is. */
export const WRONG_VALUES: Readonly<Record<string, readonly Row[]>> = {
  broker: [
    ...DAEMON,
    ["listen", "localhost:53", PLACE],
    ["advertise", "https://192.0.2.1:7443", /looks like wss:\/\/HOST:PORT/],
    ["http", "localhost:53", PLACE],
    ["supernet", "242.0.0.1/8", /has host bits set; write 242\.0\.0\.0\/8/],
    ["quarantine", "1 day", /must be a duration, as 500ms, 15m or 24h: "1 day"/],
    ["accept-loss", "maybe", SWITCH],
    ["store", "etcd", /must be sqlite: "etcd"/],
  ],
  "broker backup": COMMON,
  "broker restore": [...DAEMON, OUTPUT, ["accept-loss", "maybe", SWITCH]],
  gateway: [
    ...DAEMON,
    ["cluster", "Amber", /must be a DNS label \(a-z, 0-9 and -, at most 63\): "Amber"/],
    [
      "join-token",
      "letmein",
      /one begins with mrd1\.; give --join-token-file FILE with what `meridian invite` printed/,
    ],
    ["join-token-file", "GONE", /there is no such file/],
    ["pod-cidr", "10.244.0.0", /which looks like 10\.0\.0\.0\/8: "10\.244\.0\.0"/],
    ["service-cidr", "10.96.0.1/16", /write 10\.96\.0\.0\/16/],
    ["manifests", "FILE", /is a file, not a folder/],
    ...KUBE,
    ["export-marker", "istio", /must be cilium or linkerd: "istio"/],
    ["namespace", "a.b", /must be a DNS label/],
    ["node-way", "ipip", /must be auto or vxlan: "ipip"/],
    ["clusterset-ip", "service", /must be derived or global: "service"/],
    ["source-id", "two words", /must be 1 to 200 letters, digits or/],
    ["endpoint", "gw.example.com", /must be IP or IP:PORT, as 192\.0\.2\.1:51820: "gw\.example\.com"/],
    ["listen-port", "65530", /must leave room for 8 ports, so at most 65528/],
    ["data-plane", "ebpf", /must be auto, kernel, userspace or none: "ebpf"/],
    ["wireguard-go", "GONE", /there is no such file/],
    ["dns", "localhost:53", PLACE],
    ["http", "localhost:53", PLACE],
    ["globalnet", "yes", /must be on or off: "yes"/],
    ["global-cidr", "242.9.0.0/24", /stands for 10\.244\.0\.0\/16 and must be as long: give one with \/16/],
    ["name", "Node_1", /must be DNS labels joined by dots: "Node_1"/],
    ["identity", "FILE", /others may read it \(mode 0644\): chmod 600/],
  ],
  node: [
    ...DAEMON,
    ...KUBE,
    ["namespace", "a.b", /must be a DNS label/],
    ["network", "/tmp", /is a folder, not a file: \/tmp$/],
    ["name", "Node_1", /must be DNS labels joined by dots: "Node_1"/],
    ["http", "localhost:53", PLACE],
  ],
  dns: [
    ...DAEMON.slice(1),
    ["manifests", "FILE", /is a file, not a folder/],
    ...KUBE,
    ["conf", "GONE", /there is no such file/],
    ["dns", "localhost:53", PLACE],
    ["http", "localhost:53", PLACE],
  ],
  dig: [...COMMON, ["at", "localhost:53", PLACE], ["tcp", "maybe", SWITCH]],
  invite: [
    ...COMMON,
    ["broker", "http://192.0.2.1:7480", /in clear; write https:\/\/192\.0\.2\.1:7480/],
    ["token-file", "GONE", /there is no such file/],
    ["ca-file", "GONE", /there is no such file/],
    ["cluster", "a.b", /must be a DNS label/],
    ["ttl", "31d", /must be 1s to 30d: "31d"/],
    ["uses", "0", /must be a whole number, 1 to 1000: "0"/],
  ],
  status: COMMON,
  explain: COMMON,
  bench: [
    ...COMMON,
    ["peer", "Birch", /must be a DNS label/],
    ["duration", "1h", /must be 100ms to 30s: "1h"/],
    ["throughput", "maybe", SWITCH],
  ],
  "ipam list": COMMON,
  "ipam whois": COMMON,
  "ipam plan": [OUTPUT, ["file", "GONE", /there is no such file/]],
  drain: [DATA, ["timeout", "2h", /must be 0s to 1h: "2h"/]],
  leave: [DATA, ["gateway", "maybe", SWITCH], ["force", "maybe", SWITCH], ["offline", "maybe", SWITCH]],
  install: [
    ["globalnet", "maybe", /must be on or off: "maybe"/],
    ...ADMIN,
    ["cluster", "Amber", /must be a DNS label/],
    ["join-token", "letmein", /one begins with mrd1\./],
    ["join-token-file", "GONE", /there is no such file/],
    ["image", "two words", /must be the name of an image, as meridian:0\.1\.0: "two words"/],
    ["namespace", "a.b", /must be a DNS label/],
    ["gateway-node", "Node_1", /must be DNS labels joined by dots: "Node_1"/],
    ["dns-integration", "bind", /must be coredns or none: "bind"/],
    ["pod-cidr", "10.244.0.0", /which looks like 10\.0\.0\.0\/8: "10\.244\.0\.0"/],
    ["service-cidr", "10.96.0.1/16", /write 10\.96\.0\.0\/16/],
    ["global-cidr", "242.9.0.0", /which looks like 10\.0\.0\.0\/8: "242\.9\.0\.0"/],
    ["export-marker", "submariner", /its exports are ServiceExports, which are exported without it; leave it out/],
    ["clusterset-ip", "service", /must be derived or global: "service"/],
    ["listen-port", "65530", /must leave room for 8 ports, so at most 65528/],
    ["timeout", "1s", /must be 10s to 1h: "1s"/],
    ["identity-only", "maybe", SWITCH],
    ["dry-run", "maybe", SWITCH],
    ["output", "table", /must be yaml or json: "table"/],
  ],
  uninstall: [
    ...ADMIN,
    ["namespace", "a.b", /must be a DNS label/],
    ["image", "two words", /must be the name of an image/],
    ["with-exports", "maybe", SWITCH],
    ["force", "maybe", SWITCH],
    ["timeout", "1s", /must be 10s to 1h: "1s"/],
  ],
  diagnose: COMMON,
};
