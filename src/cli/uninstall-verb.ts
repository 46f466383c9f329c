import { loadLive } from "#kube";
import { ok, parseClusterId } from "#values";
import { resign } from "./cluster-identity.ts";
import { imageName } from "./install-verb.ts";
import { checkKubeAccess, KUBE_SETTINGS, needAdmin } from "./kube-access.ts";
import { span } from "./parsers.ts";
import { Reader } from "./reader.ts";
import { CONFIG, fail, refuse, type Verb } from "./verb.ts";

/** uninstall takes away what install made, and all that the gateways wrote. */
export const uninstallVerb: Verb = {
  name: "uninstall",
  summary: "take everything of ours out of a Kubernetes cluster and off its nodes; the cluster leaves",
  example: "meridian uninstall --kubeconfig amber.yaml",
  settings: [
    CONFIG,
    ...KUBE_SETTINGS,
    { flag: "namespace", value: "NAME", help: "namespace that was installed into", fallback: "meridian" },
    { flag: "image", value: "REF", help: "image that cleans the nodes; default: the one of the gateways" },
    { flag: "with-exports", value: null, help: "delete the users' ServiceExports, too, with their CRD" },
    {
      flag: "force",
      value: null,
      help: "go on although the broker cannot be told, or goes with the namespace",
    },
    { flag: "timeout", value: "SPAN", help: "how long each step may take", fallback: "3m" },
  ],
  async run({ given, around, signal }) {
    const reader = new Reader(given);
    const access = needAdmin(reader);
    const force = reader.on("force");
    const ask = {
      namespace: reader.one("namespace", parseClusterId, "meridian") ?? "",
      image: reader.one("image", imageName),
      withBroker: force,
      withExports: reader.on("with-exports"),
      timeoutMs: reader.one("timeout", span("10s", "1h"), "3m") ?? 0,
    };
    await checkKubeAccess(reader, access);
    if (access === null || reader.faults.length > 0) return refuse(around, reader.faults);
    const live = await loadLive();
    const api = new live.ApiServer(access, around.clock, around.version);
    const say = (line: string): void => around.err(`${line}\n`);
    try {
      const deps = {
        api,
        clock: around.clock,
        say,
        leave: async (store: Parameters<typeof resign>[0]) => {
          const left = await resign(store, around, signal);
          return left.ok || !force ? left : ok(`not ended: ${left.error}`);
        },
      };
      const done = await live.uninstall(ask, deps, signal);
      if (!done.ok) return fail(around, done.error);
      around.out("everything is gone\n");
      return 0;
    } finally {
      api.close();
    }
  },
};
