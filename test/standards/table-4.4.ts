import { type Table, table } from "./table.ts";

export const TABLE_4_4: Table = table("4.4", "Health and readiness of CoreDNS", {});
