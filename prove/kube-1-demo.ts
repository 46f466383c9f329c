import { fileURLToPath } from "node:url";
import { findNodeTools } from "#lab";
import { describeFault, runCommand } from "#life";
import type { Line } from "./line.ts";

const DEMO = fileURLToPath(new URL("../demo/main.ts", import.meta.url));

/** kube1: the story of two real clusters, each of whose steps is a check. */
export const kube1: Line = {
  title: "two real clusters, installed by the program's own command, call each other by name",
  required: "every step holds: by name through CoreDNS and kube-proxy, the server sees the client's global address",
  async run(say, signal) {
    const tools = await findNodeTools();
    if (!tools.ok) return { measured: tools.error, holds: false, details: [] };
    say("running make demo-kube");
    const done = await runCommand([process.execPath, DEMO, "--kube"], { signal });
    if (!done.ok) return { measured: "a step does not hold", holds: false, details: [describeFault(done.error)] };
    const lines = done.value.trimEnd().split("\n");
    const proved = lines.filter((line) => line.startsWith("   ok "));
    return { measured: lines.at(-1) ?? "", holds: proved.length > 0, details: proved.map((line) => line.trim()) };
  },
};
