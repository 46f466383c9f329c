import type { Line } from "./line.ts";
export const line6: Line = { title: "x", required: "x", run: async () => ({ measured: "", holds: false, details: [] }) };
