import { endpoint, headless, ip, virtual } from "../../src/dns/example-services.ts";
import type { ZoneService } from "../../src/dns/zone.ts";

/** EXAMPLE has one service of each kind that the specification tells apart, all in the namespace `shop`. */
export const EXAMPLE: readonly ZoneService[] = [
  virtual({ addresses: [ip("10.0.0.1"), ip("fd00::1")] }),
  virtual({ name: "v4", ports: [] }),
  virtual({ name: "v6", addresses: [ip("fd00::6")] }),
  virtual({ name: "pending", addresses: [] }),
  virtual({
    name: "dns",
    ports: [
      { name: "dns", protocol: "UDP", port: 53 },
      { name: "dns-tcp", protocol: "TCP", port: 53 },
      { name: "", protocol: "TCP", port: 9153 },
    ],
  }),
  headless([
    endpoint("p0", "a", ["10.1.0.1"]),
    endpoint("p0", "b", ["10.2.0.1", "fd00:2::1"]),
    endpoint("p1", "b", ["fd00:2::2"]),
  ]),
  headless([], { name: "none" }),
];
