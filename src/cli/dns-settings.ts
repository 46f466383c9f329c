import { KUBE_SETTINGS } from "./kube-access.ts";
import type { Setting } from "./setting.ts";
import { CONFIG, LOG_FORMAT, LOG_LEVEL } from "./verb.ts";

export const DNS_SETTINGS: readonly Setting[] = [
  CONFIG,
  LOG_FORMAT,
  LOG_LEVEL,
  { flag: "manifests", value: "DIR", help: "folder of ServiceImport, EndpointSlice and Namespace YAML" },
  ...KUBE_SETTINGS,
  { flag: "conf", value: "FILE", help: "a Corefile: what CoreDNS's own would say of the same zones" },
  {
    flag: "dns",
    value: "HOST:PORT",
    help: "where names are answered (repeatable)",
    repeat: true,
    fallback: "127.0.0.1:5353",
  },
  { flag: "http", value: "HOST:PORT", help: "metrics and health" },
];
