import { describe, expect, test } from "vitest";
import type { TunnelKey } from "#values";
import { cidr, ip } from "./testbed-plan.ts";
import { parseWgDump, wgSetWords } from "./wg-text.ts";

const KEY = "9Gi2+D91jdwfFps+DVWtwNxFwzS2xaODC2zxjZWYrXM=" as TunnelKey;
const PEER = "j+yxGnx76Y+2w/HTG0qGWIaM48z/dyU5lvin+wX47RU=" as TunnelKey;
const SECRET = "MCJISv7qtFpcRCW7ul95GOxtb559OjQYUprK9D2neWs=";

describe("parseWgDump()", () => {
  test("reads devices and peers of ours, and drops the private key", () => {
    const text = [
      `wg0\t${SECRET}\t${KEY}\t1\toff`,
      `wg0\t${PEER}\t(none)\t127.0.0.1:5000\t10.0.0.0/8\t0\t0\t0\toff`,
      `mrd0\t${SECRET}\t${KEY}\t51820\toff`,
      `mrd0\t${PEER}\t(none)\t127.0.0.1:5000\t242.2.0.0/16,242.0.2.0/24\t1795411299\t92\t148\t5`,
      "",
    ].join("\n");
    const devices = parseWgDump(text);
    expect(JSON.stringify(devices)).not.toContain(SECRET);
    expect(devices).toEqual({
      ok: true,
      value: new Map([
        [
          0,
          {
            publicKey: KEY,
            listenPort: 51820,
            peers: new Map([
              [
                PEER,
                {
                  endpoint: "127.0.0.1:5000",
                  allowedIps: ["242.2.0.0/16", "242.0.2.0/24"],
                  keepaliveSeconds: 5,
                  latestHandshakeSeconds: 1795411299,
                  receivedBytes: 92,
                  sentBytes: 148,
                },
              ],
            ]),
          },
        ],
      ]),
    });
  });

  test("reads a fresh device, and a peer that nothing is known of", () => {
    const text = `mrd7\t(none)\t(none)\t0\toff\nmrd7\t${PEER}\t(none)\t(none)\t(none)\t0\t0\t0\toff`;
    const devices = parseWgDump(text);
    const device = devices.ok ? devices.value.get(7) : undefined;
    expect(device).toMatchObject({ publicKey: null, listenPort: 0 });
    expect(device?.peers.get(PEER)).toMatchObject({ endpoint: null, allowedIps: [], keepaliveSeconds: 0 });
  });
});

describe("wgSetWords()", () => {
  const peer = { publicKey: PEER, allowedIps: [cidr("242.2.0.0/16"), cidr("242.0.2.0/24")], keepaliveSeconds: 5 };

  test("names the key by its file, never by its value", () => {
    const endpoint = { host: ip("fd00::1"), port: 51820 };
    expect(wgSetWords({ keyFile: "/d/tunnel.key", listenPort: 51821 }, [{ ...peer, endpoint }]).join(" ")).toBe(
      `private-key /d/tunnel.key listen-port 51821 peer ${PEER} allowed-ips 242.2.0.0/16,242.0.2.0/24 persistent-keepalive 5 endpoint [fd00::1]:51820`,
    );
  });

  test("leaves device and endpoint out where they are to stay", () => {
    expect(wgSetWords(null, [{ ...peer, endpoint: null, allowedIps: [], keepaliveSeconds: 0 }])).toEqual([
      "peer",
      PEER,
      "allowed-ips",
      "",
      "persistent-keepalive",
      "off",
    ]);
  });
});
