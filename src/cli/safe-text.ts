/** safeText is text for a terminal that may quote what a user, a file or another member wrote: a join token in it is
 *  cut, and control characters, which could forge lines or command the terminal (CWE-117, CWE-150), are written out.
 *  Line ends stay where they are followed by the indent of a stack. */
export function safeText(text: string): string {
  return text
    .replace(/mrd1\.[A-Za-z0-9_-]+/g, "mrd1.(secret)")
    .replace(/\n(?! {4}at )/g, "\\n")
    .replace(CONTROL, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not reach a terminal.
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g;
