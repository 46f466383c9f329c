import { err, ok, type Result } from "#values";

/** Longest broker URL, in bytes: a token must stay short enough to copy. */
export const MAX_URL_BYTES = 512;

/** parseBrokerUrl accepts where members dial a broker: `wss://HOST[:PORT][/PATH]`, without user, query or fragment,
 *  and gives it back in the form in which the URL standard writes it. There is no form without TLS. */
export function parseBrokerUrl(text: string): Result<string> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "wss:" || url.hostname === "") {
    return err(`a broker's URL looks like wss://HOST:PORT: ${JSON.stringify(text.slice(0, 80))}`);
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    return err("a broker's URL has no user, query or fragment");
  }
  const href = url.pathname === "/" ? url.href.slice(0, -1) : url.href;
  return Buffer.byteLength(href) <= MAX_URL_BYTES ? ok(href) : err(`a broker's URL has at most ${MAX_URL_BYTES} bytes`);
}
