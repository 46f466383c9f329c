import { type Table, table } from "./table.ts";

export const TABLE_5_4: Table = table("5.4", "Malformed and hostile input", {});
