/** The zone lies in one block of shared memory: one thread writes it, any number answer from it, none waits.
 *
 *  Word 0..HEAD_WORDS: the head below. Then blocks that the arena hands out: the hash table, and one *unit* per
 *  service (unit.ts). A unit is written whole, then published by one atomic store of its offset, and never changed:
 *  a reader sees the old service or the new one. Nothing has to be told to a thread that is blocked in a system call;
 *  it finds the new zone with its next query.
 *
 *  A unit that was replaced is reused only after every reader that may still look at it has left: epoch-based
 *  reclamation (K. Fraser, "Practical lock-freedom", 2004, section 5.2.3). */
export const HEAD = {
  /** Word offset of the hash table; 0 before there is one. */
  table: 0,
  /** 1 once the sources were read completely. */
  synced: 1,
  /** SOA serial. */
  serial: 2,
  /** 1 when listeners must end. */
  stop: 3,
  /** The current epoch, never 0. */
  epoch: 4,
  /** Figures for people. */
  names: 5,
  services: 6,
  usedBytes: 7,
  /** Names that were left out because they cannot be encoded. */
  skipped: 9,
  /** Word offset of the list of zones, and how often it was replaced (zone-list.ts). */
  zones: 10,
  zonesVersion: 11,
  /** Seed of the hash, so that nobody can choose names that collide. */
  seed: 8,
  /** 1 when listeners may answer. */
  open: 12,
  /** First reader's epoch; 0 while that reader looks at nothing. */
  readers: 16,
} as const;

/** MAX_READERS is how many listener threads one zone may have. */
export const MAX_READERS = 48;
/** HEAD_BYTES is where the arena begins. */
export const HEAD_BYTES = 256;

/** ZoneMemory is the shared block seen as octets and as 32-bit words. */
export interface ZoneMemory {
  readonly shared: SharedArrayBuffer;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
}

/** viewZone looks at a zone's block from any thread. */
export function viewZone(shared: SharedArrayBuffer): ZoneMemory {
  return { shared, bytes: new Uint8Array(shared), words: new Int32Array(shared) };
}

/** createZoneMemory reserves address space; the system commits only pages that are written. */
export function createZoneMemory(bytes: number, seed: number): ZoneMemory {
  const memory = viewZone(new SharedArrayBuffer(bytes));
  memory.words[HEAD.seed] = seed;
  memory.words[HEAD.epoch] = 1;
  return memory;
}

/** openZone lets the listeners answer; awaitOpen blocks a listener's thread until then. */
export function openZone({ words }: ZoneMemory): void {
  Atomics.store(words, HEAD.open, 1);
  Atomics.notify(words, HEAD.open);
}

export function awaitOpen({ words }: ZoneMemory): void {
  while (Atomics.load(words, HEAD.open) === 0) Atomics.wait(words, HEAD.open, 0);
}

/** enterZone marks that a reader looks at the zone from now on; leaveZone that it holds nothing any more.
 *  Both stores are sequentially consistent, as the writer's are: a writer that sees the mark missing has
 *  unlinked before this reader can look. */
export function enterZone({ words }: ZoneMemory, reader: number): void {
  Atomics.store(words, HEAD.readers + reader, Atomics.load(words, HEAD.epoch));
}

export function leaveZone({ words }: ZoneMemory, reader: number): void {
  Atomics.store(words, HEAD.readers + reader, 0);
}
