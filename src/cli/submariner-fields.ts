import { err, ok, type Result } from "#values";
import { checkIpsecKey } from "./ipsec-key.ts";

/** Kinds of submariner.io/v1alpha1 that say what a command is to do. */
export const SUBMARINER_KINDS = ["Broker", "Submariner"] as const;
export type SubmarinerKind = (typeof SUBMARINER_KINDS)[number];

/** Field is one field of a resource's spec that means something here. */
export interface Field {
  /** The setting that it becomes. */
  readonly flag?: string;
  /** read gives the values of that setting, none where it is not set; or what is wrong. */
  readonly read: (text: string) => Result<readonly string[]>;
  /** Said where it is right and changes nothing; without it nothing is said. */
  readonly why?: string;
}

const EACH_GATEWAY = "each cluster says it for itself: give its gateways --globalnet off";

/** Fields by kind. All others mean nothing here. Source: api/v1alpha1/{broker,submariner}_types.go of
 *  submariner-operator. */
export const FIELDS: Readonly<Record<SubmarinerKind, ReadonlyMap<string, Field>>> = {
  Broker: new Map<string, Field>([
    ["globalnetCIDRRange", { flag: "supernet", read: list }],
    // Theirs holds for all clusters at once; on is what gateways do unless told.
    ["globalnetEnabled", { flag: "globalnet", read: (text) => onOff(text, ok([]), ok(["off"])), why: EACH_GATEWAY }],
  ]),
  Submariner: new Map<string, Field>([
    ["clusterID", { flag: "cluster", read: one }],
    ["clusterCIDR", { flag: "pod-cidr", read: list }],
    ["serviceCIDR", { flag: "service-cidr", read: list }],
    ["globalCIDR", { flag: "global-cidr", read: list }],
    ["natEnabled", { read: (text) => onOff(text, ok([]), ok([])), why: "needless: tunnels work through NAT always" }],
    // Without it Submariner leaves the cluster's DNS alone, and that is what `install` does then. A gateway alone never
    // touches that DNS, and exports nothing of which nobody asks it: there is nothing to refuse.
    [
      "serviceDiscoveryEnabled",
      {
        flag: "dns-integration",
        read: (text) => onOff(text, ok([]), ok(["none"])),
        why: "a gateway exports what has a ServiceExport, and answers whoever asks it",
      },
    ],
    ["ceIPSecPSK", { read: psk, why: "every gateway has a key of its own" }],
  ]),
};

/** missingFault is what is wrong with fields that a spec does not have: what Submariner takes for them. */
export function missingFault(kind: SubmarinerKind, spec: ReadonlyMap<string, string>): string | null {
  if (kind === "Broker") return null;
  // Its IPsec driver falls back to one key for all the world; the newer field names a Secret that holds a real one.
  const isIpsec = spec.get("cableDriver") === "libreswan" || spec.get("cableDriver") === "strongswan";
  if (!isIpsec || spec.has("ceIPSecPSK") || spec.has("ceIPSecPSKSecret")) return null;
  const what = `cableDriver ${spec.get("cableDriver")} without ceIPSecPSK uses a key that everybody knows`;
  return `${what}; leave cableDriver out: tunnels here are WireGuard's, and every gateway has a key of its own`;
}

/** An empty text is as none: Submariner finds the value itself then. */
function one(text: string): Result<readonly string[]> {
  return ok(text === "" ? [] : [text]);
}

/** Networks of several families stand in one text, with commas. */
function list(text: string): Result<readonly string[]> {
  return ok(text === "" ? [] : text.split(",").map((part) => part.trim()));
}

function onOff<T>(text: string, on: Result<T>, off: Result<T>): Result<T> {
  if (text === "true") return on;
  return text === "false" ? off : err(`must be true or false: ${JSON.stringify(text.slice(0, 80))}`);
}

function psk(text: string): Result<readonly string[]> {
  const checked = checkIpsecKey(text);
  return checked.ok ? ok([]) : checked;
}
