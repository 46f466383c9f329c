/** SkippedNames counts what is not in the zone because DNS has no way to say it. */
export class SkippedNames {
  readonly #byService = new Map<string, number>();
  #names = 0;

  get names(): number {
    return this.#names;
  }

  /** What a person needs to find them: how many, and of which service. Empty where there are none. */
  get text(): string {
    const [first] = this.#byService.keys();
    if (first === undefined) return "";
    const others = this.#byService.size - 1;
    const where = others === 0 ? first : `${first} and ${others} more service${others === 1 ? "" : "s"}`;
    return `${this.#names} name${this.#names === 1 ? "" : "s"}, of ${where}`;
  }

  /** set says how many names of a service are left out from now on. */
  set(service: string, names: number): void {
    this.#names += names - (this.#byService.get(service) ?? 0);
    if (names === 0) this.#byService.delete(service);
    else this.#byService.set(service, names);
  }
}
