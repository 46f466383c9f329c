import { connect } from "node:net";

/** Page is what one connection brought. */
export interface Page {
  /** Whether the connection was made and a page came: HTTP status 200. */
  readonly good: boolean;
  /** Time from the call to the end of the page, in milliseconds. */
  readonly ms: number;
  readonly text: string;
}

/** fetchPage opens one TCP connection, asks for `/` and reads to the end. A SYN that is lost or refused fails it: a
 *  retry of ours would hide what it is for. (The kernel repeats a lost SYN after 1 s, which the time shows.) */
export function fetchPage(address: string, port: number, timeoutMs = 4000): Promise<Page> {
  const start = performance.now();
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: timeoutMs });
    const chunks: Buffer[] = [];
    const finish = (note: string): void => {
      socket.destroy();
      const text = note + Buffer.concat(chunks).toString("latin1");
      resolve({ good: text.startsWith("HTTP/1.1 200"), ms: performance.now() - start, text });
    };
    socket.on("connect", () => socket.write(`GET / HTTP/1.1\r\nhost: ${address}\r\nconnection: close\r\n\r\n`));
    socket.on("data", (chunk) => chunks.push(Buffer.from(chunk)));
    socket.once("end", () => finish(""));
    socket.once("timeout", () => finish("no answer in time; "));
    socket.once("error", (error) => finish(`${error.message}; `));
  });
}
