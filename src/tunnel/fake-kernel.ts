import { type Cidr, err, formatHostPort, type Ip, ok, type Result, type TunnelKey } from "#values";
import type { Machine } from "./machine.ts";
import { byLink, byRouter, type Hop, inOrder } from "./nexthops.ts";
import { indexOf } from "./ours.ts";
import { withoutInterfaces } from "./plan.ts";
import { MAIN_TABLE, type Route, routeKey, routeText } from "./route.ts";
import { type Rule, ruleText } from "./rule.ts";
import type { ConfigureStep } from "./step.ts";
import { emptyState, endpointKey, type InterfaceState, type PeerState, type TunnelState } from "./tunnel-state.ts";

/** FakeKernel is a machine in memory that refuses what the kernel refuses: a nexthop on a link that is down, a group of
 *  unknown nexthops, a route by an unknown group or one that is there already, a second owner of a prefix. */
export class FakeKernel implements Machine {
  readonly key: TunnelKey;
  #state: TunnelState;
  /** Called after every change: tests hold what must be true at each moment. */
  onChange: (state: TunnelState) => void = () => {};
  /** Ports that somebody else has. */
  readonly takenPorts = new Set<number>();

  constructor(key: TunnelKey) {
    this.key = key;
    this.#state = { ...emptyState("userspace", key), sysctls: new Map([["net/ipv4/conf/eth0/rp_filter", "1"]]) };
  }

  state(): TunnelState {
    return this.#state;
  }

  /** lose is `kill -9` of one wireguard-go. */
  lose(index: number): void {
    this.#set(withoutInterfaces(this.#state, new Set([index])));
  }

  /** roam moves a peer to another endpoint, as WireGuard does by itself. */
  roam(index: number, key: TunnelKey, endpoint: string): void {
    const peer = this.#link(index).device?.peers.get(key);
    if (peer !== undefined) this.#setPeers(index, new Map([[key, { ...peer, endpoint }]]));
  }

  async create(index: number, listenPort: number): Promise<Result<null>> {
    if (this.takenPorts.has(listenPort)) return err(`port ${listenPort} is taken`);
    this.lose(index);
    const device = { publicKey: null, listenPort: 0, peers: new Map() };
    this.#setLink(index, { up: false, mtu: 1420, addresses: [], device });
    return ok(null);
  }

  async destroy(index: number): Promise<Result<null>> {
    this.lose(index);
    return ok(null);
  }

  /** As WireGuard: a prefix has one owner per device, our own key is no peer, and no endpoint means the one there is. */
  async configure({ index, listenPort, peers }: ConfigureStep): Promise<Result<null>> {
    const link = this.#link(index);
    if (link.device === null) return err("no device");
    if (listenPort !== null) {
      this.#setLink(index, { ...link, device: { ...link.device, publicKey: this.key, listenPort } });
    }
    for (const { publicKey, endpoint, allowedIps, keepaliveSeconds } of peers) {
      if (publicKey === this.key) continue;
      const device = this.#link(index).device;
      const before = device?.peers.get(publicKey);
      const text = endpoint === null ? (before?.endpoint ?? null) : formatHostPort(endpoint);
      const others = [...(device?.peers ?? [])].map(
        ([key, peer]) =>
          [key, { ...peer, allowedIps: peer.allowedIps.filter((p) => !allowedIps.includes(p as Cidr)) }] as const,
      );
      const peer: PeerState = { ...NEW_PEER, ...before, endpoint: text, allowedIps, keepaliveSeconds };
      this.#setPeers(index, new Map([...others, [publicKey, peer]]));
      const key = endpointKey(index, publicKey);
      if (endpoint !== null)
        this.#set({ ...this.#state, lastEndpoints: new Map([...this.#state.lastEndpoints, [key, text ?? ""]]) });
    }
    return ok(null);
  }

  async forget(index: number, keys: readonly TunnelKey[]): Promise<Result<null>> {
    const { device, ...link } = this.#link(index);
    if (device === null) return err("no device");
    const peers = new Map([...device.peers].filter(([key]) => !keys.includes(key)));
    this.#setLink(index, { ...link, device: { ...device, peers } });
    return ok(null);
  }

  async setSysctl(name: string, value: string): Promise<Result<null>> {
    this.#set({ ...this.#state, sysctls: new Map([...this.#state.sysctls, [name, value]]) });
    return ok(null);
  }

  /** As `ip -force -batch`: a line that fails does not hold up the next. */
  async batch(lines: readonly string[]): Promise<readonly string[]> {
    return lines.flatMap((line) => {
      const fault = this.#line(line);
      return fault === null ? [] : [`ip ${line}: ${fault}`];
    });
  }

  #line(line: string): string | null {
    const [object = "", verb = "", ...words] = line.split(" ");
    if (object === "link") return this.#linkLine(words);
    if (object === "addr") return this.#addrLine(verb, words);
    if (object === "nexthop") return this.#nexthopLine(verb, words);
    if (object === "rule") return this.#ruleLine(verb, words);
    return this.#routeLine(verb, words);
  }

  #linkLine(words: readonly string[]): string | null {
    const index = indexOf(after(words, "dev") ?? "") ?? -1;
    const link = this.#state.interfaces.get(index);
    if (link === undefined) return "Cannot find device";
    const mtu = Number(after(words, "mtu") ?? link.mtu);
    this.#setLink(index, { ...link, mtu, up: link.up || words.includes("up") });
    return null;
  }

  #addrLine(verb: string, [address = "", , dev = ""]: readonly string[]): string | null {
    const link = this.#state.interfaces.get(indexOf(dev) ?? -1);
    if (link === undefined) return "Cannot find device";
    const rest = link.addresses.filter((present) => present !== address);
    this.#setLink(indexOf(dev) ?? -1, { ...link, addresses: verb === "add" ? [...rest, address] : rest });
    return null;
  }

  /** Refuses what would leave a group with an id that is not there, as a real deletion would shrink the group silently. */
  #nexthopLine(verb: string, words: readonly string[]): string | null {
    const id = Number(after(words, "id"));
    const [nexthops, groups] = [new Map(this.#state.nexthops), new Map(this.#state.groups)];
    const [group, dev, router] = [after(words, "group"), after(words, "dev") ?? "", after(words, "via")];
    const exists = nexthops.has(id) || groups.has(id);
    if (exists !== (verb !== "add")) return exists ? "File exists" : "Nexthop id does not exist";
    if (verb === "del") {
      nexthops.delete(id);
      groups.delete(id);
      if ([...groups.values()].some((members) => members.some((hop) => hop.id === id))) return "still in a group";
    } else if (group !== undefined) {
      const members = inOrder(group.split("/").map(hopFrom));
      if (members.some((hop) => !nexthops.has(hop.id))) return "Invalid nexthop id";
      if (verb === "replace" && words.includes("buckets")) return "Can not change number of buckets";
      groups.set(id, members);
    } else {
      const index = indexOf(dev);
      if (index !== undefined && !this.#state.interfaces.get(index)?.up) return "Nexthop device is not up";
      nexthops.set(id, router === undefined ? byLink(dev) : byRouter(router, dev));
    }
    this.#set({ ...this.#state, nexthops, groups });
    return null;
  }

  #ruleLine(verb: string, words: readonly string[]): string | null {
    const rest = this.#state.rules.filter((rule) => ruleText(rule) !== words.join(" "));
    const exists = rest.length < this.#state.rules.length;
    if (exists !== (verb === "del")) return exists ? "File exists" : "No such rule";
    this.#set({ ...this.#state, rules: verb === "add" ? [...rest, ruleFrom(words)] : rest });
    return null;
  }

  /** Lines must be exactly what routeText writes, so that a plan and its reading cannot drift apart. */
  #routeLine(verb: string, words: readonly string[]): string | null {
    const route = routeFrom(words);
    if (routeText(route) !== words.join(" ")) return `not what routeText writes: ${routeText(route)}`;
    const rest = this.#state.routes.filter((present) => routeKey(present) !== routeKey(route));
    const exists = rest.length < this.#state.routes.length;
    if (exists !== (verb === "del" || verb === "replace")) return exists ? "File exists" : "No such process";
    if (verb !== "del") {
      if (route.nhid !== undefined && !this.#state.groups.has(route.nhid)) return "Nexthop id does not exist";
      const index = indexOf(route.dev ?? "");
      if (index !== undefined && !this.#state.interfaces.get(index)?.up) return "Device is not up";
    }
    this.#set({ ...this.#state, routes: verb === "del" ? rest : [...rest, route] });
    return null;
  }

  #link(index: number): InterfaceState {
    return this.#state.interfaces.get(index) ?? { up: false, mtu: 0, addresses: [], device: null };
  }

  #setLink(index: number, link: InterfaceState): void {
    this.#set({ ...this.#state, interfaces: new Map([...this.#state.interfaces, [index, link]]) });
  }

  #setPeers(index: number, changed: ReadonlyMap<TunnelKey, PeerState>): void {
    const { device, ...link } = this.#link(index);
    if (device === null) return;
    this.#setLink(index, { ...link, device: { ...device, peers: new Map([...device.peers, ...changed]) } });
  }

  #set(state: TunnelState): void {
    this.#state = state;
    this.onChange(state);
  }
}

const NEW_PEER = { endpoint: null, latestHandshakeSeconds: 0, receivedBytes: 0, sentBytes: 0 } as const;

/** after is the word that follows a keyword. */
function after(words: readonly string[], word: string): string | undefined {
  const at = words.indexOf(word);
  return at < 0 ? undefined : words[at + 1];
}

/** routeFrom is the inverse of routeText. */
function routeFrom(words: readonly string[]): Route {
  const [first = ""] = words;
  const type = first === "unreachable" || first === "local" ? first : "unicast";
  const [dev, nhid, src] = [after(words, "dev"), after(words, "nhid"), after(words, "src")];
  const via = words.flatMap((word, i) => (word === "via" ? [words[i + 1] as Ip] : []));
  const table = after(words, "table");
  return {
    type,
    dst: (type === "unicast" ? first : words[1]) as Cidr,
    ...(dev !== undefined && { dev }),
    ...(via.length > 0 && { via }),
    ...(nhid !== undefined && { nhid: Number(nhid) }),
    ...(src !== undefined && { src: src as Ip }),
    metric: Number(after(words, "metric") ?? 0),
    table: table === undefined ? MAIN_TABLE : Number(table),
  };
}

/** hopFrom reads one member of a group, `ID` or `ID,WEIGHT`. */
function hopFrom(text: string): Hop {
  const [id = "", weight = "1"] = text.split(",");
  return { id: Number(id), weight: Number(weight) };
}

/** ruleFrom is the inverse of ruleText. */
function ruleFrom(words: readonly string[]): Rule {
  const end = words.includes("sport") ? "sport" : "dport";
  const port = after(words, end);
  const protocol = after(words, "ipproto") === "6" ? "tcp" : "udp";
  return {
    preference: Number(after(words, "pref")),
    to: after(words, "to") as Cidr,
    table: Number(after(words, "lookup")),
    ...(port !== undefined && { match: { protocol, end, port: Number(port) } }),
  };
}
