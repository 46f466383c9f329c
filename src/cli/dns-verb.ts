import { DNS_SETTINGS } from "./dns-settings.ts";
import type { Verb } from "./verb.ts";

/** dns runs the responder alone until a signal. What it needs is loaded when it is called: a server that starts in a
 *  third of a second has no time for the rest of the program. */
export const dnsVerb: Verb = {
  name: "dns",
  summary: "run the responder alone, over ServiceImports and EndpointSlices of any MCS implementation",
  example: "meridian dns --manifests /etc/meridian/imports --dns 192.0.2.11:53 --http 127.0.0.1:7480",
  daemon: true,
  settings: DNS_SETTINGS,
  async run(call) {
    const { serveDns } = await import("./serve-dns.ts");
    return serveDns(call);
  },
};
