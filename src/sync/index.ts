export { createSyncClient, type Fault, type SessionState, type SyncClient, type SyncClientOptions } from "./client.ts";
export { batchFrames, type Diff } from "./frames.ts";
export { SYNC_PATH } from "./limits.ts";
export { Outbox, type Sink } from "./outbox.ts";
export { fetchCa } from "./pin.ts";
export {
  createSyncServer,
  type Guest,
  type Link,
  type Refused,
  type Session,
  type SyncServerOptions,
} from "./server.ts";
