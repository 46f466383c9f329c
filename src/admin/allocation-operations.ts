import { z } from "zod";
import type { Allocation } from "#ipam";
import { cidrParts } from "#values";
import { orRefuse } from "./desk-fault.ts";
import { type Operation, operation } from "./operation.ts";
import { type Place, pageOf } from "./paging.ts";
import { allocation, allocationAnswer, allocationAsk, listOf, paging } from "./schemas.ts";
import { viewAllocation } from "./views.ts";

const none = z.strictObject({});

/** Who has which addresses. */
export const allocationOperations: readonly Operation[] = [
  operation({
    id: "listAllocations",
    method: "GET",
    path: "/v1/allocations",
    summary: "The allocation tree by address, prefixes in quarantine included",
    role: "viewer",
    params: none,
    query: z.strictObject(paging),
    body: null,
    status: 200,
    answer: listOf(allocation),
    problems: [],
    handler: {
      kind: "read",
      run: async ({ desk }, { query, signal }) => {
        const revision = desk.revision();
        const listing = { name: "allocations", place: placeOf, view: viewAllocation };
        return { body: { revision, ...(await pageOf(desk.allocations(), listing, query, signal)) } };
      },
    },
  }),
  operation({
    id: "reservePrefix",
    method: "POST",
    path: "/v1/allocations",
    summary: "Reserve a prefix by hand: it is given to nobody",
    role: "admin",
    params: none,
    query: none,
    body: allocationAsk,
    status: 201,
    answer: allocationAnswer,
    problems: ["conflict", "exhausted", "unavailable"],
    handler: {
      kind: "change",
      run: ({ desk }, { body, by }) => {
        const reserved = orRefuse(desk.reserve(body, by));
        return { body: { revision: desk.revision(), ...viewAllocation(reserved) } };
      },
    },
  }),
];

/** Bits of an IPv6 address in hexadecimal digits: texts of one length compare as the numbers do. */
const DIGITS = 32;

/** By family, then by address, as the tree itself is ordered. */
function placeOf({ prefix }: Allocation): Place {
  const { family, base, length } = cidrParts(prefix);
  return [family, base.toString(16).padStart(DIGITS, "0"), length];
}
