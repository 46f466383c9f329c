import { OVERLAY } from "./ours.ts";
import { macOf, type Overlay, type OverlayState } from "./overlay.ts";
import type { Step } from "./step.ts";

/** Numbers of our own: a CNI has its VXLAN on the usual port, with VNI 1 or 4096. */
const PORT = 7722;
const VNI = 77;

/** isSame reports whether a device can become what is wanted without being made again. */
export function isSame(have: OverlayState | null, want: Overlay | null): boolean {
  return have === null || want === null || have.local === want.local;
}

/** makeSteps come before all that uses the overlay; the device's settings come after them. */
export function makeSteps(have: OverlayState | null, want: Overlay | null): readonly Step[] {
  if (want === null) return [];
  const device = `address ${macOf(want.local)} mtu ${want.mtu} type vxlan`;
  const vxlan = `id ${VNI} dstport ${PORT} local ${want.local} nolearning`;
  return [
    ...(isSame(have, want) ? [] : [ip(`link del dev ${OVERLAY}`)]),
    ...(have !== null && isSame(have, want) ? [] : [ip(`link add ${OVERLAY} ${device} ${vxlan}`)]),
  ];
}

/** fillSteps bring it up, and write down its neighbours. */
export function fillSteps(found: OverlayState | null, want: Overlay | null): readonly Step[] {
  if (want === null) return [];
  const have = isSame(found, want) ? found : null;
  const peers = want.peers.map(({ global, local }) => ({ global, local, mac: macOf(local) }));
  return [
    ...(have === null || have.mtu === want.mtu ? [] : [ip(`link set dev ${OVERLAY} mtu ${want.mtu}`)]),
    ...(have?.addresses.includes(want.address) ? [] : [ip(`addr add ${want.address} dev ${OVERLAY}`)]),
    ...(have?.up ? [] : [ip(`link set dev ${OVERLAY} up`)]),
    ...peers
      .filter(({ global, mac }) => have?.neighbours.get(global) !== mac)
      .map(({ global, mac }) => ip(`neigh replace ${global} lladdr ${mac} dev ${OVERLAY} nud permanent`)),
    ...peers
      .filter(({ mac, local }) => have?.forwards.get(mac) !== local)
      .map(({ mac, local }) => bridge(`fdb replace ${mac} dev ${OVERLAY} dst ${local} self permanent`)),
  ];
}

/** dropSteps come after all that used what they take away. */
export function dropSteps(have: OverlayState | null, want: Overlay | null): readonly Step[] {
  if (have === null || !isSame(have, want)) return [];
  if (want === null) return [ip(`link del dev ${OVERLAY}`)];
  const [inner, macs] = [want.peers.map(({ global }) => `${global}`), want.peers.map(({ local }) => macOf(local))];
  const gone = [...have.neighbours.keys()].filter((global) => !inner.includes(global));
  return [
    ...have.addresses
      .filter((address) => address !== want.address)
      .map((address) => ip(`addr del ${address} dev ${OVERLAY}`)),
    ...gone.map((global) => ip(`neigh del ${global} dev ${OVERLAY}`)),
    ...[...have.forwards]
      .filter(([mac]) => !macs.includes(mac))
      .map(([mac, local]) => bridge(`fdb del ${mac} dev ${OVERLAY} dst ${local} self`)),
  ];
}

function ip(line: string): Step {
  return { kind: "ip", line };
}

function bridge(line: string): Step {
  return { kind: "bridge", line };
}
