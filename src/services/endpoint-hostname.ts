import { familyOf, type Ip } from "#values";

/** endpointHostname derives the DNS label of an endpoint that has no hostname, as CoreDNS does: dots and colons become
 *  dashes. An IPv6 address that begins or ends with `::` gets a zero there: a label has no dash at its ends. */
export function endpointHostname(address: Ip): string {
  if (familyOf(address) === 4) return address.replaceAll(".", "-");
  const dashed = address.replaceAll(":", "-");
  return `${dashed.startsWith("-") ? "0" : ""}${dashed}${dashed.endsWith("-") ? "0" : ""}`;
}
