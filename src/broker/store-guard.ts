import { aborted, type Room } from "#life";
import type { Book } from "./book.ts";

/** createStoreGuard ends the broker when the disk has failed: what the kernel holds of the file cannot be trusted any
 *  more (F17), and the next process reads what the disk really has. */
export function createStoreGuard(book: Pick<Book, "failed">): Room {
  return {
    name: "store",
    async run(signal) {
      const message = await Promise.race([book.failed, aborted(signal).then(() => null)]);
      if (message !== null) throw new Error(`the store failed, and nothing more is written: ${message}`);
    },
  };
}
