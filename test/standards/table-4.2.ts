import { type Table, table } from "./table.ts";

export const TABLE_4_2: Table = table("4.2", "Corefile", {});
