import { HEAD, HEAD_BYTES, MAX_READERS, type ZoneMemory } from "./zone-memory.ts";

/** Blocks are multiples of this many bytes. */
const GRAIN = 16;
/** Up to this many grains a block has exactly its size; above, sizes are stepped so that freed blocks find a user. */
const EXACT = 64;

/** A block that is unlinked, and the epoch in which it was. */
interface Retired {
  readonly offset: number;
  readonly bytes: number;
  readonly epoch: number;
}

/** Arena hands out blocks of the zone's memory to its one writer, and takes them back when no reader looks at them. */
export class Arena {
  readonly #memory: ZoneMemory;
  readonly #free = new Map<number, number[]>();
  #retired: Retired[] = [];
  #next = HEAD_BYTES;
  #used = 0;

  constructor(memory: ZoneMemory) {
    this.#memory = memory;
  }

  /** Bytes handed out or waiting for readers. */
  get usedBytes(): number {
    return this.#used;
  }

  /** alloc gives the offset of a block, aligned to 16 bytes; undefined when the memory is full. */
  alloc(bytes: number): number | undefined {
    const size = blockSize(bytes);
    let offset = this.#free.get(size)?.pop();
    if (offset === undefined) {
      if (this.#next + size > this.#memory.bytes.length) return undefined;
      offset = this.#next;
      this.#next += size;
    }
    this.#used += size;
    return offset;
  }

  /** retire gives back a block that is no longer linked but may still be looked at. */
  retire(offset: number, bytes: number): void {
    this.#retired.push({ offset, bytes, epoch: Atomics.load(this.#memory.words, HEAD.epoch) });
  }

  /** reclaim begins a new epoch and frees what no reader can see any more. Call it once per batch of changes. */
  reclaim(): void {
    const { words } = this.#memory;
    const next = (Atomics.load(words, HEAD.epoch) + 1) | 0 || 1;
    Atomics.store(words, HEAD.epoch, next);
    const oldest = this.#oldestReader(next);
    const waiting: Retired[] = [];
    for (const block of this.#retired) {
      // Serial arithmetic: epochs may wrap.
      if (((oldest - block.epoch) | 0) > 0) this.#release(block);
      else waiting.push(block);
    }
    this.#retired = waiting;
  }

  /** The epoch of the reader that entered first, or the new one where nobody reads. */
  #oldestReader(next: number): number {
    let oldest = next;
    for (let reader = 0; reader < MAX_READERS; reader++) {
      const epoch = Atomics.load(this.#memory.words, HEAD.readers + reader);
      if (epoch !== 0 && ((epoch - oldest) | 0) < 0) oldest = epoch;
    }
    return oldest;
  }

  #release({ offset, bytes }: Retired): void {
    const size = blockSize(bytes);
    const list = this.#free.get(size);
    if (list === undefined) this.#free.set(size, [offset]);
    else list.push(offset);
    this.#used -= size;
  }
}

/** blockSize rounds up: at most 12.5 % is lost above 1 KiB, at most 15 bytes below. */
function blockSize(bytes: number): number {
  const grains = Math.ceil(bytes / GRAIN);
  if (grains <= EXACT) return grains * GRAIN;
  const step = 2 ** (Math.floor(Math.log2(grains)) - 3);
  return Math.ceil(grains / step) * step * GRAIN;
}
