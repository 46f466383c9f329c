/** randomFrom makes a generator of numbers in [0, 1) out of one such number (mulberry32): a thread cannot be handed a
 *  function, so it gets a seed. Good enough for jitter and sampling, and for nothing secret. */
export function randomFrom(seed: number): () => number {
  let state = Math.floor(seed * 0x1_0000_0000) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}
