import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { type Daemon, type GatewayPlace, gatewayPlace, startDaemon } from "../cli/testbed-daemons.ts";
import type { BrokerDouble } from "./broker-double.ts";
import { type Status, statusOf, type Witness, witnessOf } from "./gateway-witness.ts";

const READY = /"msg":"ready"/;
const PATIENCE_MS = 10_000;

/** GatewayUnderTest is a gateway as users run it, a process without a data plane, and what a test asks of it. */
export class GatewayUnderTest implements AsyncDisposable {
  readonly place: GatewayPlace;
  readonly #double: BrokerDouble;
  daemon: Daemon;

  private constructor(place: GatewayPlace, double: BrokerDouble, daemon: Daemon) {
    this.place = place;
    this.#double = double;
    this.daemon = daemon;
  }

  /** start joins a double's clusterset. */
  static async start(dir: string, cluster: string, double: BrokerDouble): Promise<GatewayUnderTest> {
    const place = await gatewayPlace(dir, cluster);
    const daemon = startDaemon([...place.argv, "--join-token", double.token()]);
    const made = new GatewayUnderTest(place, double, daemon);
    await daemon.line(READY);
    return made;
  }

  async restart(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    await this.daemon.stop(signal);
    this.daemon = startDaemon(this.place.argv);
    await this.daemon.line(READY);
  }

  status(): Promise<Status> {
    return statusOf(this.place);
  }

  witness(): Promise<Witness> {
    return witnessOf(this.place);
  }

  /** until asks for the status until it satisfies. */
  async until(good: (status: Status) => boolean, what: string): Promise<Status> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const status = await this.status();
      if (good(status)) return status;
      if (performance.now() > end)
        throw new Error(
          `${what}: not within ${PATIENCE_MS} ms: ${JSON.stringify(status.troubles.map(({ detail }) => detail))}`,
        );
      await pause(20); // another process decides when it is done
    }
  }

  /** trouble waits for one whose code and detail match. */
  async trouble(pattern: RegExp): Promise<Status["troubles"][number]> {
    const fits = (status: Status) => status.troubles.find(({ code, detail }) => pattern.test(`${code} ${detail}`));
    return fits(await this.until((status) => fits(status) !== undefined, `trouble ${pattern}`)) as never;
  }

  /** caughtUp waits until everything that the double has sent was looked at: what is said after it came later. */
  async caughtUp(): Promise<void> {
    this.#double.revision += 1;
    this.#double.tell({});
    await this.until(({ revision }) => revision === this.#double.revision, "the double's last revision");
  }

  /** unmoved demands that a witness is still right, set by set. */
  async unmoved(before: Witness): Promise<void> {
    expect(await this.witness()).toEqual(before);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.daemon.stop("SIGKILL");
  }
}
