import { benchVerb } from "./bench-verb.ts";
import { brokerVerb } from "./broker-verb.ts";
import { diagnoseVerb } from "./diagnose-verb.ts";
import { digVerb } from "./dig-verb.ts";
import { dnsVerb } from "./dns-verb.ts";
import { drainVerb } from "./drain-verb.ts";
import { explainVerb } from "./explain-verb.ts";
import { gatewayVerb } from "./gateway-verb.ts";
import { installVerb } from "./install-verb.ts";
import { inviteVerb } from "./invite-verb.ts";
import { ipamVerb } from "./ipam-verb.ts";
import { leaveVerb } from "./leave-verb.ts";
import { nodeVerb } from "./node-verb.ts";
import { statusVerb } from "./status-verb.ts";
import { uninstallVerb } from "./uninstall-verb.ts";
import type { Verb } from "./verb.ts";

/** All verbs, in the order of the help. */
export const VERBS: readonly Verb[] = [
  brokerVerb,
  gatewayVerb,
  nodeVerb,
  dnsVerb,
  inviteVerb,
  installVerb,
  uninstallVerb,
  statusVerb,
  explainVerb,
  digVerb,
  benchVerb,
  ipamVerb,
  drainVerb,
  leaveVerb,
  diagnoseVerb,
];
