import { type Table, table } from "./table.ts";

export const TABLE_5_3: Table = table("5.3", "RFC 8906 and genreport", {});
