export { type DataLock, lockDataDir } from "./data-lock.ts";
export type { Invite } from "./invite.ts";
export type { LogDisk } from "./log-sync.ts";
export { MemoryStore } from "./memory-store.ts";
export { openSqliteStore, type SqliteStoreOptions } from "./open-sqlite-store.ts";
export { REDEEM_MESSAGE, type RedeemCode, type Redemption } from "./redeem.ts";
export { copyBackup } from "./restore-backup.ts";
export {
  type Answer,
  type AuditEntry,
  type AuditRow,
  type Change,
  type Changes,
  RECOVERING,
  RESTORED_FROM,
  type Speaker,
  type Store,
  type StoredRecord,
  type StoreFault,
} from "./store.ts";
