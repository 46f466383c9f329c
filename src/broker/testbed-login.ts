import type { KeyObject } from "node:crypto";
import { parseToken, signProof } from "#identity";
import type { SyncClientOptions } from "#sync";
import { type Cidr, type ClusterId, expect, type IdentityKey, type NodeName, type TunnelKey, type Uid } from "#values";
import { type Envelope, type Login, MAX_PROOFS } from "#wire";

type Binding = Parameters<SyncClientOptions["login"]>[0];

/** What a test says of a login; the rest is as an honest gateway has it. */
export interface LoginOptions {
  readonly token?: string | null;
  /** Shows the token's id with a secret that is made up. */
  readonly guess?: boolean;
  readonly network?: Partial<Login["network"]>;
  readonly tunnelKey?: string;
  readonly source?: string | null;
  /** Changes the login after it was signed, or before by signing it itself. */
  readonly forge?: (login: Login, binding: Binding) => Login;
}

/** Applicant is who logs in. */
export interface Applicant {
  readonly cluster: ClusterId;
  readonly name: NodeName;
  readonly uid: Uid;
  readonly privateKey: KeyObject;
  readonly key: IdentityKey;
  readonly records: ReadonlyMap<string, Envelope>;
}

const PODS = [{ cidr: "10.244.0.0/16" as Cidr, wanted: null }];

/** loginOf is a gateway's login: it shows what it has of its own membership, and proves its key for this session. */
export function loginOf(
  { cluster, uid, name: gateway, key, privateKey, records }: Applicant,
  options: LoginOptions,
  binding: Binding,
): Login {
  const token = options.token == null ? null : expect(parseToken(options.token));
  const kinds = ["member", "leave", "eviction"].map((kind) => `${kind}/${cluster}`);
  const mine = [...records.values()].filter((record) =>
    kinds.some((start) => record.key === start || record.key.startsWith(`${start}/`)),
  );
  const login: Login = {
    t: "login",
    membership: mine.slice(0, MAX_PROOFS),
    cluster,
    uid,
    generation: 0,
    gateway,
    key,
    tunnelKey: (options.tunnelKey ?? Buffer.alloc(32, 1).toString("base64")) as TunnelKey,
    source: options.source ?? null,
    join: token === null ? null : { id: token.id, secret: options.guess ? "A".repeat(27) : token.secret.reveal() },
    network: { globalnet: true, pods: PODS, services: ["10.96.0.0/16" as Cidr], routes: [], ...options.network },
    proof: signProof(privateKey, { ...binding, cluster, uid, gateway }),
  };
  return options.forge?.(login, binding) ?? login;
}
