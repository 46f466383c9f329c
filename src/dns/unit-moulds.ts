import { UnitMould } from "./unit-mould.ts";
import type { ZoneService, ZoneShape } from "./zone.ts";

/** A cluster has few forms; where each service has one of its own, moulds would cost more than they save. */
const MAX_FORMS = 1000;
const PLAIN = /^[-a-z0-9]{1,63}$/;

/** UnitMoulds keeps a mould, one for each zone, of every form of service that was met twice. */
export class UnitMoulds {
  readonly #shapes: readonly ZoneShape[];
  /** Null: met once. None: units of this form are encoded one by one. */
  readonly #forms = new Map<string, readonly UnitMould[] | null>();

  constructor(shapes: readonly ZoneShape[]) {
    this.#shapes = shapes;
  }

  /** of gives the moulds of a service, in the order of the zones; undefined where it has to be encoded. */
  of(service: ZoneService): readonly UnitMould[] | undefined {
    const form = formOf(service);
    if (form === undefined) return undefined;
    const known = this.#forms.get(form);
    if (known !== undefined) return some(known ?? this.#learn(form, service));
    if (this.#forms.size >= MAX_FORMS) this.#forms.clear();
    this.#forms.set(form, null);
    return undefined;
  }

  #learn(form: string, service: ZoneService): readonly UnitMould[] {
    const made = this.#shapes.flatMap((shape) => UnitMould.of(service, shape) ?? []);
    const moulds = made.length < this.#shapes.length ? [] : made;
    this.#forms.set(form, moulds);
    return moulds;
  }
}

function some(moulds: readonly UnitMould[]): readonly UnitMould[] | undefined {
  return moulds.length === 0 ? undefined : moulds;
}

/** formOf is what services of one mould have in common; undefined for those that are encoded one by one: headless ones,
 *  and those with several addresses, IPv6 or a name that is no plain label. */
function formOf({ namespace, name, type, addresses, ports, endpoints }: ZoneService): string | undefined {
  if (type !== "ClusterSetIP" || addresses.length !== 1 || addresses[0]?.includes(":") || endpoints.length > 0)
    return undefined;
  if (!PLAIN.test(name) || !PLAIN.test(namespace)) return undefined;
  let form = `${name.length} ${namespace.length}`;
  for (const port of ports) form += ` ${port.name}/${port.protocol}/${port.port}`;
  return form;
}
