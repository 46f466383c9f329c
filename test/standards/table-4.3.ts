import { type Table, table } from "./table.ts";

export const TABLE_4_3: Table = table("4.3", "Metrics of CoreDNS", {});
