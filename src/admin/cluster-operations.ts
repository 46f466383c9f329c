import { z } from "zod";
import { parseClusterId } from "#values";
import type { ClusterView, Desk } from "./desk.ts";
import { orRefuse } from "./desk-fault.ts";
import { type Operation, operation } from "./operation.ts";
import { pageOf } from "./paging.ts";
import { Refused } from "./problem.ts";
import { cluster, clusterAnswer, doneAnswer, latency, listOf, paging } from "./schemas.ts";
import { viewCluster, viewLatency } from "./views.ts";

const none = z.strictObject({});
/** A member of the past is found by its id as well as a live one. */
const named = z.strictObject({ id: z.string().meta({ examples: ["amber"] }) });

/** The members: who they are, what they hold, and how far apart they are. */
export const clusterOperations: readonly Operation[] = [
  operation({
    id: "listClusters",
    method: "GET",
    path: "/v1/clusters",
    summary: "All members, by id",
    role: "viewer",
    params: none,
    query: z.strictObject(paging),
    body: null,
    status: 200,
    answer: listOf(cluster),
    problems: [],
    handler: {
      kind: "read",
      run: async ({ desk }, { query, signal }) => {
        const revision = desk.revision();
        const sorted = [...desk.clusters()].sort((a, b) => (a.id < b.id ? -1 : 1));
        const listing = { name: "clusters", place: ({ id }: ClusterView) => [id], view: viewCluster };
        return { body: { revision, ...(await pageOf(sorted, listing, query, signal)) } };
      },
    },
  }),
  operation({
    id: "getCluster",
    method: "GET",
    path: "/v1/clusters/{id}",
    summary: "One member",
    role: "viewer",
    params: named,
    query: none,
    body: null,
    status: 200,
    answer: clusterAnswer,
    problems: ["not-found"],
    handler: {
      kind: "read",
      run: async ({ desk }, { params }) => ({
        body: { revision: desk.revision(), ...viewCluster(memberOf(desk, params.id)) },
      }),
    },
  }),
  operation({
    id: "evictCluster",
    method: "DELETE",
    path: "/v1/clusters/{id}",
    summary: "Evict a member: refused from now on, its records withdrawn, its prefixes into quarantine",
    role: "admin",
    params: named,
    query: none,
    body: null,
    status: 200,
    answer: doneAnswer,
    problems: ["not-found", "unavailable"],
    handler: {
      kind: "change",
      run: ({ desk }, { params, by }) => {
        const { id } = memberOf(desk, params.id);
        return { body: { revision: orRefuse(desk.evict(id, by)) } };
      },
    },
  }),
  operation({
    id: "listLatency",
    method: "GET",
    path: "/v1/latency",
    summary: "What the gateways measure between each other",
    role: "viewer",
    params: none,
    query: z.strictObject(paging),
    body: null,
    status: 200,
    answer: listOf(latency),
    problems: [],
    handler: {
      kind: "read",
      run: async ({ desk }, { query, signal }) => {
        const revision = desk.revision();
        const pairs = desk.latency().map((pair) => ({ pair, place: pairKey(pair) }));
        pairs.sort((a, b) => (a.place < b.place ? -1 : 1));
        const listing = {
          name: "latency",
          place: (at: (typeof pairs)[number]) => [at.place],
          view: (at: (typeof pairs)[number]) => viewLatency(at.pair),
        };
        return { body: { revision, ...(await pageOf(pairs, listing, query, signal)) } };
      },
    },
  }),
];

/** Names have no spaces, and a space sorts before all that they have: so this sorts as the four names do. */
function pairKey({ from, to }: ReturnType<Desk["latency"]>[number]): string {
  return `${from.cluster} ${from.gateway} ${to.cluster} ${to.gateway}`;
}

/** memberOf finds a member. What is no id at all is nobody's either: 404 for both. */
function memberOf(desk: Desk, id: string): ClusterView {
  const found = parseClusterId(id).ok ? desk.clusters().find((view) => view.id === id) : undefined;
  if (found === undefined) throw new Refused("not-found", `there is no cluster ${JSON.stringify(id.slice(0, 80))}`);
  return found;
}
