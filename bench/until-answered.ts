import { createSocket } from "node:dgram";
import { setTimeout as sleep } from "node:timers/promises";

/** Timers of Node are late by up to two milliseconds, more than what is compared: it is asked in turns of the event loop. */
const EVERY_MS = 0.25;
const LATE_MS = 20_000;

/** untilAnswered asks a responder of the loopback for a name's A record, four times a millisecond, until an answer is right;
 *  it gives the milliseconds since the call. */
export async function untilAnswered(port: number, name: string, isRight: (answer: Buffer) => boolean): Promise<number> {
  const socket = createSocket("udp4");
  const since = performance.now();
  const labels = name.split(".").flatMap((label) => [label.length, ...Buffer.from(label)]);
  const question = Buffer.from([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1]); // RFC 1035, 4.1
  const right = new Promise<number>((resolve) => {
    socket.on("message", (answer) => {
      if (isRight(answer)) resolve(performance.now() - since);
    });
    socket.on("error", () => {}); // nobody listens yet
  });
  let [next, done] = [since, false];
  const ask = (): void => {
    if (done) return;
    if (performance.now() >= next) {
      next = performance.now() + EVERY_MS;
      socket.send(question, port, "127.0.0.1");
    }
    setImmediate(ask);
  };
  ask();
  const late = sleep(LATE_MS, undefined, { ref: false }).then(() => {
    throw new Error(`${name} was not answered as it should within ${LATE_MS / 1000} s`);
  });
  try {
    return await Promise.race([right, late]);
  } finally {
    done = true;
    socket.close();
  }
}

/** isAnswer is any answer with a record in it. */
export function isAnswer(answer: Buffer): boolean {
  return ((answer[3] ?? 0) & 15) === 0 && answer.readUInt16BE(6) > 0;
}

/** holds tells an answer with an address in it. */
export function holds(address: string): (answer: Buffer) => boolean {
  const octets = Buffer.from(address.split(".").map(Number));
  return (answer) => answer.includes(octets);
}
