import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Clusterset, firstNode, keepRun, nameOf, type Place } from "#lab";

const BIN = fileURLToPath(new URL("../bin/meridian", import.meta.url));

/** keepUp leaves a clusterset running and gives commands to try, one a line, each with what it shows. */
export async function keepUp(set: Clusterset, userNamespace: boolean): Promise<readonly string[]> {
  const { run, underlay, clusters, pods } = set.scene;
  const places = [underlay, ...Object.values(clusters).map(firstNode), ...Object.values(pods)];
  const enter = join(run.folder, "enter");
  await writeFile(enter, renderEnter(places, userNamespace), { mode: 0o755 });
  await keepRun(run);
  return commandsToTry(enter, set);
}

/** renderEnter is a shell script, `enter PLACE COMMAND…`, that runs a command in one of the places. */
export function renderEnter(places: readonly Pick<Place, "name" | "pid">[], userNamespace: boolean): string {
  const user = userNamespace ? " -U --preserve-credentials" : "";
  return `#!/bin/sh
# enter PLACE COMMAND...: runs a command in a place of the demo, with its network and its resolv.conf.
case "$1" in
${places.map(({ name, pid }) => `  ${name}) pid=${pid} ;;\n`).join("")}  *) echo "places: ${places.map(({ name }) => name).join(" ")}" >&2; exit 2 ;;
esac
shift
exec nsenter -t "$pid"${user} -n -m -u -- "$@"
`;
}

/** All of them work as they are printed; `dig` and `curl` only where they are installed. */
function commandsToTry(enter: string, { broker, gateways, scene }: Clusterset): readonly string[] {
  const client = scene.pods.birchClient.name;
  const web = nameOf("web");
  return [
    `${enter} ${client} getent hosts ${web}`,
    `${enter} ${client} dig +short ${web}`,
    `${enter} ${client} curl http://${web}/`,
    `${enter} birch-1 ${BIN} status --data ${gateways.birch.data}`,
    `${enter} birch-1 ${BIN} explain ${web} --data ${gateways.birch.data}`,
    `${enter} birch-1 ${BIN} bench --data ${gateways.birch.data}`,
    `${enter} birch-1 wg show`,
    `${enter} birch-1 nft list ruleset`,
    `${enter} underlay ${BIN} ipam list --data ${broker.data}`,
    `ls ${scene.run.folder}/manifests/amber ${scene.run.folder}/log`,
  ];
}
