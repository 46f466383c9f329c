import { describe, expect, test } from "vitest";
import type { TableService } from "#kube";
import { compileEntries } from "./service-entries.ts";
import { AMBER, service, slice } from "./testbed-services.ts";

const WEB = "242.192.0.7";

/** The entries of a service, as `ADDRESS PROTOCOL PORT > BACKEND*WEIGHT …`. */
function lines(given: TableService): readonly string[] {
  return [...compileEntries(given, AMBER).entries].map(([key, { backends, affinity }]) => {
    const to = backends.map(({ address, port, weight }) => `${address}:${port}*${weight}`);
    return `${key} ${affinity} > ${to.join(" ")}`;
  });
}

describe("compileEntries()", () => {
  test.each<[string, TableService, readonly string[]]>([
    [
      "a service address: its endpoints, by the ports of their slices",
      service(WEB, [slice("birch", ["242.2.0.1", "242.2.0.2"])]),
      [`${WEB} TCP 80 none > 242.2.0.1:8080*1 242.2.0.2:8080*1`],
    ],
    [
      "several members: each has an equal share",
      service(WEB, [slice("birch", ["242.2.0.1", "242.2.0.2"]), slice("cedar", ["242.3.0.1"], 9090)]),
      [`${WEB} TCP 80 none > 242.2.0.1:8080*0.5 242.2.0.2:8080*0.5 242.3.0.1:9090*1`],
    ],
    ["affinity", service(WEB, [slice("birch", ["242.2.0.1"])], "client"), [`${WEB} TCP 80 client > 242.2.0.1:8080*1`]],
    ["nothing that is ready: an entry that refuses", service(WEB, []), [`${WEB} TCP 80 none > `]],
    [
      "no endpoint by a port of another name",
      service(WEB, [slice("birch", ["242.2.0.1"], 8080, "admin")]),
      [`${WEB} TCP 80 none > `],
    ],
    [
      "the address of a derived Service: none, kube-proxy has it",
      service("10.96.0.9", [slice("birch", ["242.2.0.1"])]),
      [],
    ],
    [
      "an address of the supernet that is no service's: none",
      service("242.1.0.9", [slice("birch", ["242.2.0.1"])]),
      [],
    ],
  ])("%s", (_, given, wanted) => {
    expect(lines(given)).toEqual(wanted);
  });

  test("a headless import, which has no address, has none", () => {
    const { imported, slices } = service(WEB, [slice("birch", ["242.2.0.1"])]);
    expect(lines({ imported: { ...imported, ips: [] }, slices })).toEqual([]);
  });

  test("one entry for each port", () => {
    const { imported, slices } = service(WEB, [slice("birch", ["242.2.0.1"])]);
    const ports = [...imported.ports, { name: "dns", protocol: "UDP", port: 53 } as const];
    const both = [
      ...slices,
      { ...slice("birch", ["242.2.0.1"]), ports: [{ name: "dns", protocol: "UDP", port: 5353 } as const] },
    ];
    expect(lines({ imported: { ...imported, ports }, slices: both })).toEqual([
      `${WEB} TCP 80 none > 242.2.0.1:8080*1`,
      `${WEB} UDP 53 none > 242.2.0.1:5353*1`,
    ]);
  });

  test("pods of this node that are endpoints may be their own clients; others' and other members' are not here", () => {
    const own = slice("amber", ["10.244.2.5@node-2", "10.244.1.5@node-1", "10.244.9.9"]);
    expect(compileEntries(service(WEB, [own, slice("birch", ["242.2.0.1"])]), AMBER).hairpin).toEqual([
      "10.244.2.5",
      "10.244.9.9",
    ]);
    expect(compileEntries(service("10.96.0.9", [own]), AMBER).hairpin).toEqual([]);
  });
});
