import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { describeFault, runCommand } from "#life";
import { err, ok, type Result } from "#values";

export const COREDNS_VERSION = "1.14.7";
const FOLDER = join(homedir(), ".cache", "meridian-peers");

/** findCoreDns gives the path of CoreDNS, built from its Go module where Go is here (about five minutes, once for all);
 *  the error says why there is none. */
export async function findCoreDns(say: (text: string) => void): Promise<Result<string>> {
  const path = join(FOLDER, "coredns");
  if (await exists(path)) return ok(path);
  say(`building CoreDNS ${COREDNS_VERSION} from its Go module, once, in about five minutes`);
  const module = `github.com/coredns/coredns@v${COREDNS_VERSION}`;
  const find = 'PATH="$PATH:/usr/local/go/bin" exec "$@"';
  const built = await runCommand(["env", `GOBIN=${FOLDER}`, "sh", "-c", find, "sh", "go", "install", module]);
  if (built.ok && (await exists(path))) return ok(path);
  return err(built.ok ? `go install left no ${path}` : describeFault(built.error));
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
