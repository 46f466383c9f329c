/** Live is what a live cluster needs: its API server, the source that reads it and the sinks that write it. */
export type Live = typeof import("./live.ts");

/** loadLive loads it when it is needed: whoever reads a folder starts without. */
export function loadLive(): Promise<Live> {
  return import("./live.ts");
}
