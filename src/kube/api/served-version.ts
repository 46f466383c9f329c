/** The Multi-Cluster Services API has two versions whose objects have the same fields (mcs-api 0.5): clusters where
 *  somebody else installed it may serve the older one alone. */
const GROUP = "multicluster.x-k8s.io";
const NEWEST = "v1beta1";
const OLDER = "v1alpha1";
/** Where an API server lists the versions of the group (meta/v1 APIGroup). */
export const DISCOVERY = `/apis/${GROUP}`;

/** ServedVersion is how the group is to be asked. */
export type ServedVersion = typeof NEWEST | typeof OLDER;

/** Addressed is what counts here of a request. */
interface Addressed {
  readonly path: string;
  readonly body?: unknown;
}

/** isVersioned reports whether a request is about the group. */
export function isVersioned({ path }: Pick<Addressed, "path">): boolean {
  return path.startsWith(`${DISCOVERY}/${NEWEST}/`);
}

/** servedVersion reads what an API server lists: the newest unless it serves the older one alone. */
export function servedVersion(group: unknown): ServedVersion {
  const versions = (group as { readonly versions?: unknown } | null)?.versions;
  const served = Array.isArray(versions) ? versions.map((one: { readonly version?: unknown }) => one?.version) : [];
  return served.includes(OLDER) && !served.includes(NEWEST) ? OLDER : NEWEST;
}

/** inVersion says a request of the newest version in the one that is served. */
export function inVersion<T extends Addressed>(request: T, version: ServedVersion): T {
  if (version === NEWEST || !isVersioned(request)) return request;
  const { path, body } = request;
  const [from, to] = [`${GROUP}/${NEWEST}`, `${GROUP}/${version}`];
  const isNewest = (body as { readonly apiVersion?: unknown } | undefined)?.apiVersion === from;
  return {
    ...request,
    path: path.replace(from, to),
    ...(isNewest ? { body: { ...(body as object), apiVersion: to } } : {}),
  };
}
