import { familyOf, isDnsLabel, parseIp, parseNodeName } from "#values";
import type { ExportBody } from "./bodies.ts";

/** What nearly every export looks like, recognised without the schema: a batch brings hundreds of exports, and each
 *  costs the schema 25 µs and 11 KB of garbage. This only ever says that the schema would take a body and leave it as
 *  it is; whatever is unusual (unknown fields, IPv6, anything wrong) is for the schema to judge, and to name. */

type Raw = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

const PORT_NAME = /^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$/;

const isText =
  (most: number): Check =>
  (value) =>
    typeof value === "string" && value.length <= most;
const isInteger =
  (least: number, most: number): Check =>
  (value) =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
const isOneOf =
  (...texts: readonly string[]): Check =>
  (value) =>
    texts.includes(value as string);
const isOptional =
  (check: Check): Check =>
  (value) =>
    value === undefined || value === null || check(value);
const isList =
  (check: Check, most: number): Check =>
  (value) =>
    Array.isArray(value) && value.length <= most && value.every(check);

/** isObject checks each field there is and each field there must be; an unknown field is unusual. */
function isObject(fields: Readonly<Record<string, Check>>): Check {
  const checks = new Map(Object.entries(fields));
  const needed = [...checks].filter(([, check]) => !check(undefined)).map(([name]) => name);
  return (value) => {
    if (!isRaw(value)) return false;
    for (const name in value) if (checks.get(name)?.(value[name]) !== true) return false;
    return needed.every((name) => Object.hasOwn(value, name));
  };
}

/** isMap checks keys and values by their length alone; a key that a prototype has is unusual. */
function isMap(mostKey: number, mostValue: number): Check {
  return (value) => {
    if (!isRaw(value)) return false;
    for (const key in value) {
      const text = value[key];
      if (key.length > mostKey || key in Object.prototype) return false;
      if (typeof text !== "string" || text.length > mostValue) return false;
    }
    return true;
  };
}

function isRaw(value: unknown): value is Raw {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const isLabel: Check = (value) => typeof value === "string" && isDnsLabel(value);
const isPortName: Check = (value) => typeof value === "string" && PORT_NAME.test(value);
const isProtocol = isOneOf("TCP", "UDP", "SCTP");
const isPort = isInteger(1, 65_535);
const isCount = isInteger(0, Number.MAX_SAFE_INTEGER);
/** An IPv6 address may be written in several ways, and the schema makes one of them. */
const isIpv4: Check = (value) =>
  typeof value === "string" && value.length <= 15 && familyOf(value) === 4 && parseIp(value).ok;
const isNode: Check = (value) => typeof value === "string" && parseNodeName(value).ok;

const isEndpoints = isList(
  isObject({ address: isIpv4, hostname: isOptional(isText(63)), node: isOptional(isNode) }),
  1000,
);
const isSlice = isObject({
  ports: isList(isObject({ name: isPortName, protocol: isProtocol, port: isPort }), 100),
  endpoints: isEndpoints,
  draining: (value) => value === undefined || isEndpoints(value),
});

const isExport = isObject({
  namespace: isLabel,
  name: isLabel,
  type: isOneOf("ClusterSetIP", "Headless"),
  createdAt: isCount,
  ports: isList(
    isObject({ name: isPortName, protocol: isProtocol, port: isPort, appProtocol: isOptional(isText(253)) }),
    100,
  ),
  sessionAffinity: isOneOf("None", "ClientIP"),
  sessionAffinitySeconds: isOptional(isCount),
  internalTrafficPolicy: isOptional(isText(64)),
  trafficDistribution: isOptional(isText(64)),
  ipFamilies: isList(isOneOf("IPv4", "IPv6"), 2),
  labels: isMap(317, 63),
  annotations: isMap(317, 65_536),
  slices: isList(isSlice, 1000),
});

/** isPlainExport reports whether a body is an export just as the schema would give it. */
export function isPlainExport(raw: unknown): raw is ExportBody {
  return isExport(raw);
}
