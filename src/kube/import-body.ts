import { type Ip, type Namespace, type Protocol, parseIp, type ServiceName } from "#values";
import type { LocalImport, LocalServicePort } from "./manifest-object.ts";

/** What absent means in the API: as null, or not there. */
type Maybe<T> = T | null | undefined;

/** PortFields is a port of a Service or of an import as it is written. */
export interface PortFields {
  readonly name?: Maybe<string>;
  readonly protocol?: Maybe<Protocol>;
  readonly port: number;
  readonly appProtocol?: Maybe<string>;
}

/** ImportFields is a ServiceImport as it is written, its fields checked. */
export interface ImportFields {
  readonly metadata: { readonly name: ServiceName; readonly namespace?: Maybe<Namespace> };
  readonly spec: {
    readonly type: LocalImport["type"];
    readonly ports?: Maybe<readonly PortFields[]>;
    readonly ips?: Maybe<readonly string[]>;
  };
  readonly status?: Maybe<{ readonly clusters?: Maybe<readonly { readonly cluster: string }[]> }>;
}

/** importBody tolerates what the CRD lets pass: an address that is none is dropped. */
export function importBody({ metadata, spec, status }: ImportFields): LocalImport {
  return {
    namespace: metadata.namespace ?? ("default" as Namespace),
    name: metadata.name,
    type: spec.type,
    ports: (spec.ports ?? []).map(portOf),
    ips: addressesIn(spec.ips ?? []),
    clusters: (status?.clusters ?? []).map(({ cluster }) => cluster),
  };
}

/** portOf fills in Kubernetes' defaults. */
export function portOf({ name, protocol, port, appProtocol }: PortFields): LocalServicePort {
  return { name: name ?? "", protocol: protocol ?? "TCP", port, appProtocol: appProtocol ?? null };
}

export function addressesIn(texts: readonly string[]): readonly Ip[] {
  return texts.flatMap((text) => {
    const ip = parseIp(text);
    return ip.ok ? [ip.value] : [];
  });
}
