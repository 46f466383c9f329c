import type { CommandFault } from "#life";
import { ok, type Result } from "#values";
import type { Nft } from "./nft.ts";
import { readBase } from "./read-base.ts";
import { readServices } from "./read-services.ts";
import { BASE_TABLE } from "./render.ts";
import { SERVICE_TABLE } from "./service-table.ts";
import type { GlobalnetState, TableName } from "./state.ts";

/** read finds what a machine has of ours: three calls of nft, and no memory of what was applied. */
export async function read(nft: Nft, signal?: AbortSignal): Promise<Result<GlobalnetState, CommandFault>> {
  const tables = await ownTables(nft, signal);
  if (!tables.ok) return tables;
  const base = await listing(nft, tables.value, BASE_TABLE, signal);
  if (!base.ok) return base;
  const services = await listing(nft, tables.value, SERVICE_TABLE, signal);
  if (!services.ok) return services;
  const found = services.value === undefined ? undefined : await readServices(services.value, signal);
  return ok({
    base: base.value === undefined ? undefined : readBase(base.value),
    services: found?.shape,
    entries: found?.entries ?? new Map(),
    strays: tables.value.filter(isStray),
  });
}

/** hasBase reports whether the base table is there, of whatever version. */
export async function hasBase(nft: Nft, signal?: AbortSignal): Promise<Result<boolean, CommandFault>> {
  const tables = await ownTables(nft, signal);
  if (!tables.ok) return tables;
  return ok(tables.value.some(({ family, name }) => family === "ip" && name === BASE_TABLE));
}

/** ownTables lists every table whose name begins with `meridian`, of whatever family. */
export async function ownTables(nft: Nft, signal?: AbortSignal): Promise<Result<readonly TableName[], CommandFault>> {
  const listed = await nft.list(["-j", "list", "tables"], signal);
  if (!listed.ok) return listed;
  // One document of small objects, one per table of the host: parsed whole.
  const { nftables } = JSON.parse(listed.value) as { nftables: readonly { table?: TableName }[] };
  const tables = nftables.flatMap(({ table }) => (table?.name.startsWith("meridian") === true ? [table] : []));
  return ok(tables.map(({ family, name }) => ({ family, name })));
}

/** Tables of another version, or of a family that we no longer write. */
function isStray({ family, name }: TableName): boolean {
  return family !== "ip" || (name !== BASE_TABLE && name !== SERVICE_TABLE);
}

/** listing is the text of a table, with numbers for protocols; undefined when there is none. */
async function listing(
  nft: Nft,
  tables: readonly TableName[],
  wanted: string,
  signal: AbortSignal | undefined,
): Promise<Result<string | undefined, CommandFault>> {
  const there = tables.some(({ family, name }) => family === "ip" && name === wanted);
  return there ? nft.list(["-n", "list", "table", "ip", wanted], signal) : ok(undefined);
}
