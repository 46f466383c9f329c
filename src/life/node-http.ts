import { getBuiltinModule } from "node:process";

/** Node's own HTTP. An import of its names would read them all, WebSocket and fetch among them, and load the client
 *  behind these: 40 ms and 7 MiB for each daemon, which uses neither. */
export const { createServer: createHttpServer, get: httpGet, request: httpRequest } = getBuiltinModule("node:http");
