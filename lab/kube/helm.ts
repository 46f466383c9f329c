import { access, mkdir, rename } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { describeFault, runCommand } from "#life";
import { err, ok, type Result } from "#values";

export const HELM_VERSION = "3.22.0";
const FOLDER = join(homedir(), ".cache", "meridian-peers");
const PATH = join(FOLDER, `helm-${HELM_VERSION}`);

/** Without a stamp it calls itself v3 and nothing more. */
const FLAGS = `-s -w -X helm.sh/helm/v3/internal/version.version=v${HELM_VERSION}`;
const INSTALL = 'PATH="$PATH:/usr/local/go/bin" CGO_ENABLED=0 exec nice go install -trimpath "$@"';

/** findHelm gives the path of Helm; the error says how it comes there. */
export async function findHelm(): Promise<Result<string>> {
  return (await exists(PATH)) ? ok(PATH) : err("no Helm to try the chart with: run `make kube-node-tools` (needs Go)");
}

/** buildHelm builds it from its Go module, where it is not there yet. `say` hears of that. */
export async function buildHelm(say: (line: string) => void): Promise<Result<void>> {
  if (await exists(PATH)) return ok(undefined);
  say(`building helm ${HELM_VERSION} from its Go module (minutes, once)`);
  const built = join(FOLDER, "new-helm");
  await mkdir(built, { recursive: true });
  const module = `helm.sh/helm/v3/cmd/helm@v${HELM_VERSION}`;
  const done = await runCommand(["env", `GOBIN=${built}`, "sh", "-c", INSTALL, "sh", `-ldflags=${FLAGS}`, module]);
  if (!done.ok) return err(describeFault(done.error));
  // whole or not at all, for whoever looks for it meanwhile
  await rename(join(built, "helm"), PATH);
  return ok(undefined);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
