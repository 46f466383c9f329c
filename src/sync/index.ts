export type { Fault } from "./asks.ts";
export { createSyncClient, type SessionState, type SyncClient, type SyncClientOptions } from "./client.ts";
export { batchFrames, type Diff } from "./frames.ts";
export type { Guest, Session } from "./greeting.ts";
export { SYNC_PATH, TIMING, type Timing } from "./limits.ts";
export type { Link, Refused } from "./link.ts";
export { Outbox, type Sink, type Source } from "./outbox.ts";
export { fetchCa } from "./pin.ts";
export { createSyncServer, type SyncServerOptions } from "./server.ts";
