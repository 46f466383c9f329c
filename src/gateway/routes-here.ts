import { runCommand } from "#life";
import { type Cidr, parseCidr } from "#values";

interface RouteJson {
  readonly dst?: string;
  readonly dev?: string;
  readonly protocol?: string;
}

/** routesHere are the networks that this host has routes to, with what each is: the broker refuses a supernet that
 *  overlaps one of them. Our own routes (protocol 77) and the default route are left out. */
export async function routesHere(): Promise<readonly { readonly cidr: Cidr; readonly what: string }[]> {
  const text = await runCommand(["ip", "-4", "-j", "route", "show", "table", "main"]);
  if (!text.ok) return [];
  return (JSON.parse(text.value) as readonly RouteJson[]).flatMap(({ dst = "", dev = "?", protocol }) => {
    const cidr = parseCidr(dst.includes("/") ? dst : `${dst}/32`);
    return cidr.ok && protocol !== "77" ? [{ cidr: cidr.value, what: `a route by ${dev}` }] : [];
  });
}
