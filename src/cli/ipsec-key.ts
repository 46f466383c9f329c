import { err, ok, type Result } from "#values";

/** What Submariner's cable drivers take where they are told no key (`default:"default psk"` in their source), and what
 *  people write when they mean none. */
const KNOWN = /^(default([ _-]?psk)?|psk|secret|password|change[ _-]?me)$/i;
/** `<psk>` of an example, and what a shell, a chart or kustomize was to fill in. */
const UNFILLED = /^<.*>$|^\$[({A-Za-z_]|^\{\{|^\.+$/;
/** 112 bits, the least strength that NIST SP 800-131A allows, take 19 characters of base64. */
const LEAST = 19;

const REMEDY = "leave the line out: every gateway here has a key of its own";

/** checkIpsecKey refuses a key that everybody knows. No fault shows the key. */
export function checkIpsecKey(key: string): Result<void> {
  const text = key.trim();
  if (text === "") return err(`is empty, and Submariner then uses a key that everybody knows; ${REMEDY}`);
  if (UNFILLED.test(text)) return err(`is a placeholder, which protects nothing; ${REMEDY}`);
  if (KNOWN.test(text)) return err(`is a key that everybody knows, which protects nothing; ${REMEDY}`);
  if (text.length < LEAST)
    return err(`has ${text.length} characters, and a key of 112 bits takes at least ${LEAST}; ${REMEDY}`);
  return ok(undefined);
}
