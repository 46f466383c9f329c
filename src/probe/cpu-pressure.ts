import { readFileSync } from "node:fs";

/** Where the kernel tells how long some task that could have run had to wait for a core (kernel docs, accounting/psi). */
const FILE = "/proc/pressure/cpu";
/** A machine on which somebody waits half of the time gives its tunnels their turn late, too. */
const STRAINED = 0.5;

/** CpuPressure tells whether this machine has less than it needs. Its own thread may have its turn all the same; the program
 *  that carries the tunnels has not, and then silence is no proof that the other end is dead. */
export class CpuPressure {
  readonly #read: () => string;
  readonly #now: () => number;
  #waitedMs: number;
  #at: number;

  /** `now` in milliseconds of a monotonic clock. */
  constructor(now: () => number, read: () => string = readPressure) {
    this.#read = read;
    this.#now = now;
    this.#waitedMs = waitedMs(read());
    this.#at = now();
  }

  /** strained looks at the time since the last look. Where the kernel does not tell, nothing is. */
  strained(): boolean {
    const [waited, now] = [waitedMs(this.#read()), this.#now()];
    const share = (waited - this.#waitedMs) / Math.max(1, now - this.#at);
    this.#waitedMs = waited;
    this.#at = now;
    return share > STRAINED;
  }
}

/** waitedMs reads the total of the line `some`, in microseconds there. */
function waitedMs(text: string): number {
  return Number(/^some .*total=(\d+)/m.exec(text)?.[1] ?? 0) / 1000;
}

function readPressure(): string {
  try {
    return readFileSync(FILE, "utf8");
  } catch {
    return ""; // a kernel without PSI
  }
}
