import { MAX_FRAME } from "#wire";

/** What a WebSocket may cost us, in both directions. The defaults of `ws` hold 13.5 MB for 0.87 MB sent in 131,000
 *  fragments (ws issue 2331), hence the explicit caps on fragments and chunks. Pings are answered by hand: a flood of
 *  them whose answers nobody reads would fill our memory. */
export const SOCKET_LIMITS = {
  maxPayload: MAX_FRAME,
  maxFragments: 16,
  maxBufferedChunks: 1024,
  perMessageDeflate: false,
  autoPong: false,
} as const;

/** Timing of a session, in milliseconds; tests use shorter spans. */
export interface Timing {
  /** A session that has not logged in by then is cut. */
  readonly handshakeMs: number;
  /** A half-open connection is found after two of these without a sign of life (F32: at most 15 s). */
  readonly pingMs: number;
  /** Whoever does not answer the end of a session is cut off after this. */
  readonly graceMs: number;
}

export const TIMING: Timing = { handshakeMs: 10_000, pingMs: 5000, graceMs: 1000 };

/** Sessions that have not logged in yet: in all, and from one address. */
export const MAX_ANONYMOUS = 512;
export const MAX_ANONYMOUS_PER_ADDRESS = 256;
/** Above this many unsent bytes a reader is slow: changes are no longer queued for it but coalesced. */
export const SLOW_BYTES = 1 << 20;
/** Above this many unsent bytes a session is cut: it asks and never reads the answers. */
export const FULL_BYTES = 4 << 20;
/** Above this many unsent bytes pings stay without an answer. */
export const PONG_BYTES = 64 << 10;
/** A slow reader that takes nothing for so long is cut; it will come back with its cursor. */
export const STUCK_MS = 30_000;
/** Size at which a diff is cut into frames, in bytes. */
export const FRAME_BYTES = 64 << 10;

/** Path of the session on the broker's HTTPS port. */
export const SYNC_PATH = "/v1/sync";
