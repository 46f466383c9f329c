/** OctetSink takes what goes into a message, one piece after another. */
export interface OctetSink {
  copy(from: Uint8Array, at: number, length: number): void;
  u16(value: number): void;
  u32(value: number): void;
}
