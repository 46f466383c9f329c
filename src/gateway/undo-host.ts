import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { createGlobalnet, systemConntrack, systemNft } from "#globalnet";
import { type Clock, silentLog, Troubles } from "#life";
import { createTunnels } from "#tunnel";
import { err, ok, type Result } from "#values";

/** Files of a gateway's data folder; what else is there is not ours. */
const OURS =
  /^(cache\.db.*|tunnel\.key|tunnel-endpoints\.json|sysctl\.json|join\.pending|identity\.json|network\.json|admin\.sock|lock|mrd\d\.log)$/;

/** A host where nothing ever ran has no folder. */
function noneIfMissing(error: NodeJS.ErrnoException): readonly string[] {
  if (error.code !== "ENOENT") throw error;
  return [];
}

/** undoHost takes everything of a gateway off this host, its files and then its folder, too: for a gateway that does not
 *  run and will not. Nobody is told. The tunnels go first, so that nothing leaves by them untranslated. */
export async function undoHost(dataDir: string, clock: Clock): Promise<Result<void>> {
  const troubles = new Troubles();
  // Whatever carried the packets, what it left goes by its names.
  const dataPlane = { mode: "kernel", implementation: "kernel", version: null } as const;
  const tunnels = await createTunnels({ dataDir, dataPlane, log: silentLog, clock, troubles }).teardown();
  if (!tunnels.ok) return tunnels;
  const globalnet = createGlobalnet({ nft: systemNft(), conntrack: systemConntrack(), troubles });
  const tables = await globalnet.teardown();
  if (!tables.ok) return err(`nft: ${tables.error.stderr}`);
  const files = (await readdir(dataDir).catch(noneIfMissing)).filter((name) => OURS.test(name));
  for (const name of files) await rm(join(dataDir, name), { force: true });
  await rmdir(dataDir).catch(() => {}); // where somebody else's files are, or it is a mount, it stays
  return ok(undefined);
}
