import type { ParsedFile } from "./manifest-object.ts";

/** ParseJob asks a worker to read and parse a file. */
export interface ParseJob {
  /** The file's name in the folder. */
  readonly file: string;
  readonly path: string;
  /** Hash of the content that is known already: it is not parsed again. */
  readonly hash: string | null;
}

/** ParseAnswer is what becomes of it. Objects come as JSON text in parts, since text crosses threads cheaply and each
 *  part is quickly parsed: the receiver can stop between them. */
export type ParseAnswer =
  | { readonly kind: "same" }
  | { readonly kind: "unreadable"; readonly reason: string }
  | {
      readonly kind: "parsed";
      readonly hash: string;
      readonly parts: readonly string[];
      readonly rest: Omit<ParsedFile, "objects">;
    };
