import { z } from "zod";
import { allocationOperations } from "./allocation-operations.ts";
import { clusterOperations } from "./cluster-operations.ts";
import { inviteOperations } from "./invite-operations.ts";
import { logOperations } from "./log-operations.ts";
import { openapiOf } from "./openapi.ts";
import { type Operation, operation } from "./operation.ts";

const none = z.strictObject({});

/** OPERATIONS is the whole API, in the order of its document. */
export const OPERATIONS: readonly Operation[] = [
  ...clusterOperations,
  ...allocationOperations,
  ...inviteOperations,
  ...logOperations,
  operation({
    id: "getOpenapi",
    method: "GET",
    path: "/v1/openapi.json",
    summary: "This document",
    role: "viewer",
    params: none,
    query: none,
    body: null,
    status: 200,
    answer: z.looseObject({ openapi: z.string() }),
    problems: [],
    handler: { kind: "read", run: async ({ version }) => ({ body: openapiOf(OPERATIONS, version) }) },
  }),
];
