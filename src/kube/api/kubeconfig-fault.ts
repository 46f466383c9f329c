import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import type { KubeAccess } from "./access.ts";

/** What is needed of a kubeconfig (client.authentication and client-go's `Config`, v1); all else is the client's. */
const named = z.object({ name: z.string() });
const kubeconfig = z.object({
  clusters: z.array(named.extend({ cluster: z.object({ server: z.url({ protocol: /^https?$/ }) }) })),
  contexts: z.array(named.extend({ context: z.object({ cluster: z.string(), user: z.string() }) })),
  users: z.array(named),
  "current-context": z.string().nullish(),
});

/** kubeconfigFault says what is wrong with a kubeconfig, and what to do; null: it names a cluster and a user. */
export function kubeconfigFault({ file, context }: Extract<KubeAccess, { kind: "kubeconfig" }>): string | null {
  const read = readConfig(file);
  if (typeof read === "string") return read;
  const name = context ?? read["current-context"] ?? "";
  const names = read.contexts.map((one) => one.name).join(", ") || "none";
  if (name === "") return `it has no current-context: give --context, one of: ${names}`;
  const found = read.contexts.find((one) => one.name === name)?.context;
  if (found === undefined) return `it has no context ${JSON.stringify(name)}; it has: ${names}`;
  if (!read.clusters.some((one) => one.name === found.cluster)) return `context ${name}: no cluster ${found.cluster}`;
  if (!read.users.some((one) => one.name === found.user)) return `context ${name}: no user ${found.user}`;
  return null;
}

function readConfig(file: string): z.infer<typeof kubeconfig> | string {
  try {
    const result = kubeconfig.safeParse(parse(readFileSync(file, "utf8")));
    if (result.success) return result.data;
    const [issue] = result.error.issues;
    return `it is no kubeconfig: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "unreadable"}`;
  } catch (error) {
    return (error as Error).message;
  }
}
