/** PeerState is how far a member's signed records have come: (generation, epoch, seq) order its heads, and `headHash`
 *  names the newest one. Every probe and echo carries the sender's, so that a peer which is ahead of what the broker
 *  hands out shows that the broker withholds records. */
export interface PeerState {
  readonly generation: number;
  readonly epoch: number;
  readonly seq: number;
  /** First 16 bytes of the head's hash: 32 lower-case hexadecimal digits. */
  readonly headHash: string;
}

export const HEAD_HASH_BYTES = 16;

/** peerState checks numbers and shortens a longer hash to what a probe carries. Throws RangeError: the caller is us. */
export function peerState({ generation, epoch, seq, headHash }: PeerState): PeerState {
  for (const [name, value] of Object.entries({ generation, epoch, seq })) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(`${name} must be a whole number from 0 on: current value is ${value}`);
    }
  }
  const short = headHash.slice(0, HEAD_HASH_BYTES * 2).toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(short)) {
    throw new RangeError(`headHash must be at least 32 hexadecimal digits: current value is ${headHash}`);
  }
  return { generation, epoch, seq, headHash: short };
}
