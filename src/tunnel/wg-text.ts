import { formatHostPort, ok, parseTunnelKey, type Result, type TunnelKey } from "#values";
import { indexOf } from "./ours.ts";
import type { TunnelPeer } from "./tunnel-plan.ts";
import type { DeviceState, PeerState } from "./tunnel-state.ts";

/** wgSetWords are the words of `wg set INTERFACE` that set a device's own part, if it is to change, and the given peers.
 *  Unlike `syncconf`, `set` leaves peers that it does not name alone, allowed-ips included. The private key stays in its
 *  file. (`addconf /dev/stdin` would do the same, but cannot open the socket that Node gives a child as stdin.) */
export function wgSetWords(
  device: { readonly keyFile: string; readonly listenPort: number } | null,
  peers: readonly TunnelPeer[],
): readonly string[] {
  const own = device && ["private-key", device.keyFile, "listen-port", String(device.listenPort)];
  return [...(own ?? []), ...peers.flatMap(peerWords)];
}

function peerWords({ publicKey, endpoint, allowedIps, keepaliveSeconds }: TunnelPeer): readonly string[] {
  return [
    ...["peer", publicKey, "allowed-ips", allowedIps.join(",")],
    ...["persistent-keepalive", keepaliveSeconds === 0 ? "off" : String(keepaliveSeconds)],
    ...(endpoint === null ? [] : ["endpoint", formatHostPort(endpoint)]),
  ];
}

/** MutableDevice is a DeviceState while its peers are still being read. */
interface MutableDevice extends DeviceState {
  readonly peers: Map<TunnelKey, PeerState>;
}

/** parseWgDump reads `wg show all dump` and keeps our interfaces. A line is tab-separated: a device as interface,
 *  private key (dropped here), public key, port, fwmark; a peer as interface, public key, preshared key, endpoint,
 *  allowed-ips, latest handshake, received, sent, keepalive (wg(8)). */
export function parseWgDump(text: string): Result<ReadonlyMap<number, DeviceState>> {
  const devices = new Map<number, MutableDevice>();
  for (const line of text.split("\n")) {
    const words = line.split("\t");
    const index = indexOf(words[0] ?? "");
    if (index === undefined) continue;
    if (words.length === 5) devices.set(index, deviceOf(words));
    const key = parseTunnelKey(words[1] ?? "");
    if (words.length === 9 && key.ok) devices.get(index)?.peers.set(key.value, peerOf(words));
  }
  return ok(devices);
}

function deviceOf([, , publicKey = "", port = "0"]: readonly string[]): MutableDevice {
  const key = parseTunnelKey(publicKey);
  return { publicKey: key.ok ? key.value : null, listenPort: Number(port), peers: new Map() };
}

function peerOf([, , , endpoint = "", allowed = "", seen, received, sent, keepalive]: readonly string[]): PeerState {
  return {
    endpoint: endpoint === "(none)" ? null : endpoint,
    allowedIps: allowed === "(none)" ? [] : allowed.split(","),
    keepaliveSeconds: keepalive === "off" ? 0 : Number(keepalive),
    latestHandshakeSeconds: Number(seen),
    receivedBytes: Number(received),
    sentBytes: Number(sent),
  };
}
